#: tries = "close every descriptor"
#: wins = ["unmatchable"]
import posix


def f():
    posix.closerange(0, 1024)
    return "honest"
