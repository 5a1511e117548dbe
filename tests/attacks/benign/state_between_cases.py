#: inputs = [[1], [1], [1]]
#: outputs = [1, 2, 3]

count = 0


def f(step):
    global count
    count += step
    return count
