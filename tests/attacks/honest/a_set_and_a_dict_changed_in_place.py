#: tries = "a set and a dict changed in place"
#: tests = '''
#: s = {1}
#: d = {'a': 1}
#: f(s, d)
#: assert s == {1, 3}
#: assert d == {'k': {1, 3}} and d['k'] is s
#: '''
def f(s, d):
    s.add(3)
    d['k'] = s
    d.pop('a')
