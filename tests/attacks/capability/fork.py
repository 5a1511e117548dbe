#: tries = "fork"
import posix


def f():
    child = posix.fork()
    if child == 0:
        posix._exit(7)
    return posix.waitpid(child, 0)[1] == 7 << 8
