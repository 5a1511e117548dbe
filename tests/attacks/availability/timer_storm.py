#: tries = "drown itself in timer signals"
import signal
import time


def f():
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 0.00001, 0.00001)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        pass
    signal.setitimer(signal.ITIMER_REAL, 0)
    return True
