#: inputs = [[0.1, 3]]
#: outputs = [[0.30000000000000004, 1e+22, 2.0, -0.5, 3.0, 1e-07, true]]


def f(a, b):
    return [a + 0.2, 1e22, float(b - 1), -1 / 2, abs(-3.0), 1e-7, float("nan") != float("nan")]
