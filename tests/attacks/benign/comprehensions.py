#: inputs = [[5], [0]]
#: outputs = [[[0, 4, 16], {even = [0, 2, 4], odd = [1, 3]}], [[], {even = [], odd = []}]]


def f(n):
    squares = [x * x for x in range(n) if x % 2 == 0]
    return [squares, {name: [x for x in range(n) if x % 2 == rest] for rest, name in enumerate(["even", "odd"])}]
