#: tries = "lie about its class and equal everything"
#: wins = "secret"


class Spoof:
    __class__ = property(lambda self: str)
    __eq__ = lambda self, other: True
    __hash__ = None


def f():
    return Spoof()
