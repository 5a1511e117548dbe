#: tries = "exceptions by name"
#: tests = '''
#: for bad in (-1,):
#:     try:
#:         f(bad)
#:     except MyE as e:
#:         assert e.args == ('neg', -1)
#:         assert isinstance(e, ValueError)
#:     else:
#:         assert 0
#: try:
#:     f(0)
#: except ZeroDivisionError as e:
#:     assert 'division' in str(e)
#: try:
#:     f(5)
#: except KeyError as e:
#:     assert e.args[0] == 5
#: try:
#:     f('a')
#: except TypeError:
#:     pass
#: try:
#:     f(-2)
#: except KeyError:
#:     assert 0
#: except ValueError:
#:     pass
#: '''
class MyE(ValueError):
    pass

def f(x):
    if x < 0:
        raise MyE('neg', x)
    if x == 0:
        return 1 // 0
    return {}[x]
