#: tries = "leave a new built-in name"
#: before = "poison"
import builtins


def poison():
    builtins.planted = 42


def f():
    return planted == 42
