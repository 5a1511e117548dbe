#: tries = "containers in and out"
#: tests = '''
#: from collections import OrderedDict, deque, Counter
#: assert f({1, 2}) == {1, 2}
#: assert f(frozenset([1])) == frozenset([1])
#: assert list(g()) == [2, 1]
#: assert isinstance(g(), OrderedDict)
#: q = deque([1, 2], maxlen=3)
#: assert f(q) is q and f(q).maxlen == 3
#: assert f({(1, 2): [3]}) == {(1, 2): [3]}
#: assert list(f({'b': 1, 'a': 2})) == ['b', 'a']
#: assert f(Counter('aab')).most_common(1) == [('a', 2)]
#: '''
from collections import OrderedDict, deque

def f(x):
    return x

def g():
    return OrderedDict([(2, 1), (1, 2)])
