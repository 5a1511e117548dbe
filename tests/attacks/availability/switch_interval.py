#: tries = "keep every other thread of its process from running"
import sys
import time


def f():
    sys.setswitchinterval(1000)
    end = time.monotonic() + 2
    while time.monotonic() < end:
        pass
    return True
