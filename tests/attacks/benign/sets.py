#: inputs = [[[1, 2, 3], [2, 3, 4]]]
#: outputs = [[[2, 3], [1, 2, 3, 4], [1], true]]


def f(left, right):
    a, b = set(left), frozenset(right)
    return [sorted(a & b), sorted(a | b), sorted(a - b), {2, 3} <= a]
