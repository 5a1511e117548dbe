#: tries = "leave a timer that fires in the next program's run"
#: before = "poison"
import builtins
import signal
import time


def poison():
    signal.signal(signal.SIGALRM, lambda *_: setattr(builtins, "late", True))
    signal.setitimer(signal.ITIMER_REAL, 0.02)


def f():
    time.sleep(0.05)
    return getattr(builtins, "late", False)
