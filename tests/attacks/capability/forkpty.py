#: tries = "fork onto a pseudo-terminal"
import posix


def f():
    child, terminal = posix.forkpty()
    if child == 0:
        posix._exit(7)
    status = posix.waitpid(child, 0)[1]
    posix.close(terminal)
    return status == 7 << 8
