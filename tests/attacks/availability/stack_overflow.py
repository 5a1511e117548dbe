#: tries = "overflow the C stack by lifting the recursion limit"


def f():
    import sys

    sys.setrecursionlimit(10**9)

    class Deep:
        def __getattr__(self, name):
            return getattr(self, name)

    return Deep().anything
