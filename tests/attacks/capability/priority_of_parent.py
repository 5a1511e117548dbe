#: tries = "make the harness less important"
#: inputs = [["{parent_pid}"]]
import posix


def f(parent):
    posix.setpriority(posix.PRIO_PROCESS, parent, posix.getpriority(posix.PRIO_PROCESS, parent))
    return True
