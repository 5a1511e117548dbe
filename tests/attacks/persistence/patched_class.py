#: tries = "patch a method of a class that every program shares"
#: before = "poison"
import collections


def poison():
    collections.Counter.most_common = lambda *_: "patched"


def f():
    return collections.Counter().most_common() == "patched"
