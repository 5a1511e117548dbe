#: tries = "abort"
import posix


def f():
    posix.abort()
