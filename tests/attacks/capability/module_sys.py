#: tries = "read the arguments and the paths of whoever started it"
import sys


def f():
    known = [*sys.argv, sys.executable, *getattr(sys, "orig_argv", []), *sys.path]
    return any("{" in text or "site-packages" in text for text in known)
