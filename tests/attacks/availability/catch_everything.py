#: tries = "catch whatever exception a time limit raises, again and again"
import time


def f():
    end = time.monotonic() + 2
    while time.monotonic() < end:
        try:
            while time.monotonic() < end:
                pass
        except BaseException:
            pass
    return True
