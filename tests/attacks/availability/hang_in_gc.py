#: tries = "hang in a callback of the garbage collector while its result is encoded"
#: wins = ["unmatchable"]
import gc
import time


def hang(phase, info):
    end = time.monotonic() + 2
    while time.monotonic() < end:
        pass


def f():
    gc.callbacks.append(hang)
    gc.set_threshold(1, 1, 1)
    return [[number] for number in range(1000)]
