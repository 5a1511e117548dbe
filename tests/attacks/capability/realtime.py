#: tries = "become a real-time process, which starves others"
import posix


def f():
    before = posix.sched_getscheduler(0)
    posix.sched_setscheduler(0, posix.SCHED_FIFO, posix.sched_param(1))
    posix.sched_setscheduler(0, before, posix.sched_param(0))
    return True
