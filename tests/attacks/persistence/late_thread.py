#: tries = "leave a thread that writes into the next program's run"
#: before = "poison"
import _thread
import builtins
import time


def late():
    time.sleep(0.02)
    builtins.late = True


def poison():
    _thread.start_new_thread(late, ())


def f():
    time.sleep(0.05)
    return getattr(builtins, "late", False)
