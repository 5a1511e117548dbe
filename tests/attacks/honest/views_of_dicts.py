#: tries = "views of dicts"
#: tests = '''
#: assert f({'a': 1}) == {'a'}
#: assert list(g({'a': 1})) == [1]
#: assert list(h({'a': 1})) == [('a', 1)]
#: assert sorted(f({'b': 1, 'a': 2})) == ['a', 'b']
#: '''
def f(d):
    return d.keys()

def g(d):
    return d.values()

def h(d):
    return d.items()
