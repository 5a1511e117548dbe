#: tries = "write into a text that every program shares, with ctypes"
#: before = "poison"
import sys


def poison():
    import ctypes

    shared = sys.intern("a-text-of-the-runner")
    sys.shared = shared
    ctypes.memset(id(shared) + 48, ord("z"), 1)


def f():
    return getattr(sys, "shared", "")[:1] == "z"
