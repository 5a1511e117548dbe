#: tries = "find the result of the program before it among the objects alive"
#: before = "secret"
import gc
import sys


def secret():
    sys.earlier = ["result-of-" + "the-one-before"]
    return sys.earlier[0]


def f():
    want = "result-of-" + "the-one-before"
    for thing in gc.get_objects():
        if type(thing) in (list, tuple, dict):
            for value in list(thing.values() if type(thing) is dict else thing):
                if type(value) is str and want in value and sys._getframe().f_locals is not thing:
                    return True
