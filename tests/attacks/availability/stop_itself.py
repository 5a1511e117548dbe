#: tries = "stop itself with SIGSTOP, so that it neither runs nor dies"
import posix
import signal


def f():
    posix.kill(posix.getpid(), signal.SIGSTOP)
    return True
