#: tries = "leave the worker at the lowest priority"
#: before = "poison"
import posix


def poison():
    posix.nice(19)


def f():
    return posix.nice(0) == 19
