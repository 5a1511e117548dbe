#: tries = "pin the harness to one core"
#: inputs = [["{parent_pid}"]]
import posix


def f(parent):
    cores = posix.sched_getaffinity(parent)
    posix.sched_setaffinity(parent, cores)
    return True
