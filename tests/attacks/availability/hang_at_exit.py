#: tries = "hang when the interpreter shuts down"
#: wins = ["unmatchable"]
import atexit
import time


class Late:
    def __del__(self):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            pass


kept = Late()
atexit.register(time.sleep, 2)


def f():
    raise SystemExit
