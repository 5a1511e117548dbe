#: tries = "be asked for its own contents: a dict whose items and keys are another dict's"
#: wins = [{a = 42}]


class Forged(dict):
    items = lambda self: {"a": 42}.items()
    keys = lambda self: {"a": 42}.keys()
    __iter__ = lambda self: iter("a")
    __len__ = lambda self: 1
    __getitem__ = lambda self, key: 42
    __eq__ = lambda self, other: dict(self.items()) == other


def f():
    return Forged()
