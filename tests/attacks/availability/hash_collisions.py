#: tries = "fill a dict with keys that all collide"


def f():
    size = 40_000
    table = {number * (2**61 - 1): None for number in range(1, size)}
    return len(table) > 0
