#: tries = "leave children that nobody waits for"
import posix


def f():
    for _ in range(10):
        if posix.fork() == 0:
            posix._exit(0)
    return True
