#: tries = "a function of the tests that raises"
#: tests = '''
#: def h():
#:     raise ValueError('boo')
#: assert f(h) == 'boo'
#:
#: def k():
#:     raise KeyError('z')
#: try:
#:     f(k)
#: except KeyError:
#:     pass
#: else:
#:     assert 0
#: '''
def f(g):
    try:
        g()
    except ValueError as e:
        return str(e)
