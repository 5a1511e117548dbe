#: tries = "raise an exception inside the runner's frames, by a timer that fires after it returned"
#: wins = ["unmatchable"]
import signal


class Late(BaseException):
    pass


def strike(*_):
    raise Late


def f():
    signal.signal(signal.SIGALRM, strike)
    signal.setitimer(signal.ITIMER_REAL, 0.00005, 0.00005)
    return [1] * 5000
