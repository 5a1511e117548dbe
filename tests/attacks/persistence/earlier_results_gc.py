#: tries = "find the result of the program before it among the objects alive"
#: inputs = [["{token}"]]
#: before = "secret"
import gc
import sys


def secret(token):
    sys.earlier = [token[::-1]]
    return sys.earlier[0]


def f(token):
    for thing in gc.get_objects():
        if type(thing) in (list, tuple, dict):
            for value in list(thing.values() if type(thing) is dict else thing):
                if type(value) is str and value == token[::-1]:
                    return True
