#: tries = "an exception with a text of its own"
#: tests = '''
#: try:
#:     f()
#: except E as e:
#:     assert str(e) == 'E<4>' and e.a == 4 and (e.m() == 8)
#: else:
#:     raise AssertionError('nothing was raised')
#: '''
class E(Exception):

    def __init__(s, a):
        s.a = a

    def __str__(s):
        return f'E<{s.a}>'

    def m(s):
        return s.a * 2

def f():
    raise E(4)
