#: inputs = [[[3, 1, 2]], [[3, 1, 2]]]
#: outputs = [[1, 2, 3, 9], [1, 2, 3, 9]]


def f(values):
    values.sort()
    values.append(9)
    return values
