#: tries = "leave the worker on a core of its choice"
#: before = "poison"
import posix


def poison():
    posix.sched_setaffinity(0, {max(posix.sched_getaffinity(0))})
    import sys

    sys.pinned = True


def f():
    import sys

    return getattr(sys, "pinned", False)
