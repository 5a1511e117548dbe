#: tries = "register a class with a shared abstract class"
#: before = "poison"
import collections.abc
import sys


def poison():
    collections.abc.Sized.register(int)


def f():
    return isinstance(5, collections.abc.Sized)
