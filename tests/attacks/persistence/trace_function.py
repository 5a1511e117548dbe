#: tries = "leave a profile function that hears the next program"
#: before = "poison"
import sys


def poison():
    sys.setprofile(lambda *_: None)


def f():
    return sys.getprofile() is not None
