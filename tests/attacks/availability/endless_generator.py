#: tries = "return a generator without end"
#: wins_status = ["ok"]
import itertools


def f():
    return (number for number in itertools.count())
