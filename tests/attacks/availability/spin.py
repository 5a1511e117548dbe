#: tries = "spin past the limits"
import time


def f():
    end = time.monotonic() + 2
    while time.monotonic() < end:
        pass
    return True
