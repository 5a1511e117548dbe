#: tries = "return a list whose iterator never ends"
#: wins = ["unmatchable"]


class Endless(list):
    def __iter__(self):
        while True:
            yield 1

    __reversed__ = __iter__

    def __len__(self):
        return 1 << 60


def f():
    return Endless([1])
