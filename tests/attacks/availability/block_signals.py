#: tries = "block every signal in its mask"
import signal
import time


def f():
    signal.pthread_sigmask(signal.SIG_BLOCK, range(1, 65))
    end = time.monotonic() + 2
    while time.monotonic() < end:
        pass
    return True
