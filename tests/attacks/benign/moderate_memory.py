#: inputs = [[200000]]
#: outputs = [[200000, 20000000]]


def f(n):
    values = [str(i) for i in range(n)]
    text = "x" * (n * 100)
    return [len(values), len(text)]
