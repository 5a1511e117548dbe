#: tries = "make itself more important"
import posix


def f():
    before = posix.getpriority(posix.PRIO_PROCESS, 0)
    posix.setpriority(posix.PRIO_PROCESS, 0, before - 1)
    posix.setpriority(posix.PRIO_PROCESS, 0, before)
    return True
