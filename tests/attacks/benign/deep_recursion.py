#: inputs = [[400]]
#: outputs = [80200]


def f(n):
    return 0 if n == 0 else n + f(n - 1)
