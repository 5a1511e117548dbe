#: inputs = [[100], [2]]
#: outputs = [[1267650600228229401496703205376, 31], [4, 1]]


def f(n):
    power = 2**n
    return [power, len(str(power))]
