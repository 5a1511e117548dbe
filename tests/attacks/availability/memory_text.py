#: tries = "make four hundred megabytes of text"


def f():
    return len("x" * (4 * 10**8)) == 4 * 10**8
