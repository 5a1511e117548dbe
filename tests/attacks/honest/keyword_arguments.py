#: tries = "keyword arguments"
#: tests = '''
#: assert f(3, k=2) == (3, 2, (), {})
#: assert f(1, 2, 3, z=4) == (1, 2, (3,), {'z': 4})
#: '''
def f(x, k=1, *a, **kw):
    return (x, k, a, kw)
