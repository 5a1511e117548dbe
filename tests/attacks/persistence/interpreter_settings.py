#: tries = "leave the interpreter's settings changed"
#: before = "poison"
import gc
import sys


def poison():
    sys.setrecursionlimit(777)
    gc.disable()
    sys.setswitchinterval(9)
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    sys.set_asyncgen_hooks(firstiter=print)


def f():
    digits = getattr(sys, "get_int_max_str_digits", lambda: 1)()
    changed = [sys.getrecursionlimit() == 777, not gc.isenabled() and sys.getswitchinterval() > 8, digits == 0]
    return changed[0] or changed[1]
