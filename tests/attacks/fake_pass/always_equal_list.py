#: tries = "return a list that equals everything"
#: wins = [[1, 2]]


class Equal(list):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False


def f():
    return Equal()
