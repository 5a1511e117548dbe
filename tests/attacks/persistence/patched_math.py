#: tries = "patch a function of math for the next program"
#: before = "poison"
import math


def poison():
    math.sqrt = lambda value: 42.0


def f():
    return math.sqrt(4) == 42.0
