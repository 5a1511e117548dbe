#: tries = "leave an advisory lock on every descriptor that is shared with the next program"
#: before = "poison"
import posix


def poison():
    import fcntl
    import sys

    sys.locked = 0
    for fd in range(32):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            sys.locked += 1
        except OSError:
            pass


def f():
    import sys

    return getattr(sys, "locked", 0) > 0
