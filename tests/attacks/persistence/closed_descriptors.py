#: tries = "leave the worker without its descriptors"
#: before = "poison"
#: wins = ["unmatchable"]
import posix


def poison():
    posix.closerange(0, 256)


def f():
    return "honest"
