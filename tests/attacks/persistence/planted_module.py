#: tries = "leave a module for the next program to import"
#: before = "poison"
import sys
import types


def poison():
    sys.modules["planted"] = types.ModuleType("planted")


def f():
    import planted

    return planted is not None
