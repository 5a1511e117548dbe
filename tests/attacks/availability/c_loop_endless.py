#: tries = "loop in C without end"


def f():
    import itertools

    return max(itertools.repeat(1))
