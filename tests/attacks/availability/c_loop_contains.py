#: tries = "search an endless iterator in C"


def f():
    import itertools

    return -1 in itertools.count()
