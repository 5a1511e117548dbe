#: inputs = [[6]]
#: outputs = [[91, 6, [1, 4], 55]]


def f(n):
    grid = [[row * col for col in range(n)] for row in range(n)]
    turned = [list(row) for row in zip(*grid[::-1])]
    identity = [[int(r == c) for c in range(n)] for r in range(n)]
    squares = sum(i * i for i in range(n + 1))
    return [squares, sum(sum(row) for row in identity), [1, 4], sum(turned[i][n - 1 - i] for i in range(n))]
