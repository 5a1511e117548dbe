#: tries = "count, by its process id, how many programs ran before it"
#: before = "poison"
import posix
import sys


def poison():
    sys.kept_id = posix.getpid()


def f():
    return getattr(sys, "kept_id", None) == posix.getpid()
