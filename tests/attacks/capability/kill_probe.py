#: tries = "tell which processes exist with signal 0"
#: inputs = [["{parent_pid}"]]
import posix


def f(parent):
    posix.kill(parent, 0)
    return True
