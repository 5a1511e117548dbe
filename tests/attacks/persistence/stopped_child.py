#: tries = "leave a child that is stopped, which no ordinary signal ends"
import posix
import signal
import time


def f():
    child = posix.fork()
    if child == 0:
        time.sleep(2)
        posix._exit(0)
    posix.kill(child, signal.SIGSTOP)
    return True
