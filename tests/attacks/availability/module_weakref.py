#: tries = "hang in a finalizer when the interpreter shuts down"
#: wins = ["unmatchable"]
import time
import weakref


class Kept:
    pass


kept = Kept()
weakref.finalize(kept, time.sleep, 2)


def f():
    raise SystemExit
