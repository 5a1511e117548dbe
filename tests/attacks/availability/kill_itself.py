#: tries = "die by a signal and take the runner along"
import posix
import signal


def f():
    posix.kill(posix.getpid(), signal.SIGKILL)
    return True
