#: tries = "hang when its result is freed"
#: wins = ["unmatchable"]
import time


class Sticky(list):
    def __del__(self):
        end = time.monotonic() + 2
        while time.monotonic() < end:
            pass


def f():
    return Sticky()
