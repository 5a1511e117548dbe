#: tries = "loop in C, where no Python signal handler runs"


def f():
    return sum(range(10**10)) > 0
