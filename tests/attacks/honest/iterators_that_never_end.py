#: tries = "iterators that never end"
#: tests = '''
#: import itertools
#: g1 = f()
#: assert [next(g1) for _ in range(3)] == [0, 1, 2]
#: assert list(itertools.islice(f(), 4)) == [0, 1, 2, 3]
#: assert list(g([1, 2])) == ['1', '2']
#: assert dict(z('ab', [1, 2])) == {'a': 1, 'b': 2}
#: '''
import itertools

def f():
    n = 0
    while True:
        yield n
        n += 1

def g(x):
    return map(str, x)

def z(a, b):
    return zip(a, b)
