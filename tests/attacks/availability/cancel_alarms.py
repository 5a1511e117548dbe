#: tries = "switch off the timers that a limit could be enforced with"
import signal
import time


def f():
    end = time.monotonic() + 2
    while time.monotonic() < end:
        signal.alarm(0)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.setitimer(signal.ITIMER_PROF, 0)
    return True
