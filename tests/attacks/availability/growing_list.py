#: tries = "return a list that grows while it is encoded, through a signal handler"
#: wins = ["unmatchable"]
import signal


def f():
    result = [1] * 1000
    signal.signal(signal.SIGALRM, lambda *_: result.extend(result[:1000]))
    signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
    return result
