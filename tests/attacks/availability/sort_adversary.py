#: tries = "multiply two huge numbers and sort by them, all in C calls"


def f():
    big = 7 ** (10**6)
    return sorted(range(10**6), key=lambda number: big * big) is not None
