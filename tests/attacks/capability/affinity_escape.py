#: tries = "leave the core that it was pinned to"
import posix


def f():
    posix.sched_setaffinity(0, range(1024))
    return True
