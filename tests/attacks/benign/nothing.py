#: inputs = [["{none}"], [[1, "{none}"]]]
#: outputs = ["{none}", ["{none}", 1]]


def f(value):
    if value is None:
        return None
    return value[::-1]
