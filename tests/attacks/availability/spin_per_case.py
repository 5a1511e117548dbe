#: tries = "stay under the limit in every case and over it together"
#: inputs = [[0], [1], [2], [3], [4], [5], [6], [7]]
#: wins = ["unmatchable", "unmatchable", "unmatchable", "unmatchable", "unmatchable", "unmatchable", "unmatchable", true]
import time


def f(_):
    end = time.monotonic() + 0.25
    while time.monotonic() < end:
        pass
    return True
