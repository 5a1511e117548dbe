#: tries = "replace AssertionError, so that a failed check is some other error"
#: wins = "secret"
import builtins


class Mild(Exception):
    pass


def f():
    original, builtins.AssertionError = builtins.AssertionError, Mild
    kept.append(original)
    return None


kept = []
