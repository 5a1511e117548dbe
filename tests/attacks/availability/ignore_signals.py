#: tries = "ignore every signal that a limit could be enforced with"
import signal
import time


def f():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    end = time.monotonic() + 2
    while time.monotonic() < end:
        pass
    return True
