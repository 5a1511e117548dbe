#: tries = "a defaultdict"
#: tests = '''
#: d = f([1, 2, 3])
#: assert d == {1: [1, 3], 0: [2]}
#: assert d[7] == []
#: assert type(d).__name__ == 'defaultdict'
#: '''
from collections import defaultdict

def f(xs):
    d = defaultdict(list)
    for x in xs:
        d[x % 2].append(x)
    return d
