#: tries = "leave the worker without its descriptors"
#: before = "poison"
import posix


def poison():
    posix.closerange(0, 3)


def f():
    try:
        posix.fstat(0)
    except OSError:
        return True
