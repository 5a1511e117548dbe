#: tries = "know the hash seed of the next program, which lets it aim collisions and signal by order"
#: before = "poison"
import sys


def poison():
    sys.seed_probe = hash("probe")


def f():
    return getattr(sys, "seed_probe", None) == hash("probe")
