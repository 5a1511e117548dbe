#: tries = "overflow the C stack inside repr of a nested list"


def f():
    import sys

    sys.setrecursionlimit(10**9)
    nest = []
    for _ in range(10**6):
        nest = [nest]
    return len(repr(nest))
