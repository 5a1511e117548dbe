#: tries = "fork onto a pseudo-terminal"
import posix


def f():
    child, terminal = posix.forkpty()
    if child == 0:
        posix._exit(7)
    posix.close(terminal)
    return posix.waitpid(child, 0)[1] == 7 << 8
