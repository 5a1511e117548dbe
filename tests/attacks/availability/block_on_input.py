#: tries = "wait for standard input"


def f():
    import sys

    sys.stdin.buffer.raw.read(1)
    return True
