#: tries = "a class derived from dict"
#: tests = '''
#: d = f()
#: assert d == {'a': 1}
#: assert d['a'] == 1 and d[4] == 8
#: d['z'] = 3
#: assert sorted(d) == ['a', 'z']
#: '''
class D(dict):

    def __missing__(self, k):
        return k * 2

def f():
    return D(a=1)
