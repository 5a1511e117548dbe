#: tries = "hang in the hooks for uncaught and unraisable errors"
#: wins = ["unmatchable"]
import sys
import time


def f():
    sys.excepthook = sys.unraisablehook = lambda *_: time.sleep(2)
    raise KeyboardInterrupt
