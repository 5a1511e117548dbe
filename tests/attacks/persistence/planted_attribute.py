#: tries = "leave a note on a shared module"
#: before = "poison"
import sys


def poison():
    sys.note = "left behind"
    sys.path.append("note")


def f():
    return getattr(sys, "note", "") == "left behind" or "note" in sys.path
