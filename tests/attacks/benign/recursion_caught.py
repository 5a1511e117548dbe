#: inputs = [[1]]
#: outputs = ["caught"]


def endless(n):
    return endless(n + 1)


def f(n):
    try:
        endless(n)
    except RecursionError:
        return "caught"
