#: tries = "take memory as stack"
#: wins = ["unmatchable"]


def f():
    import sys

    sys.setrecursionlimit(10**9)

    def deep(number):
        kept = bytes(1 << 12)
        return deep(number + 1) + len(kept)

    return deep(0)
