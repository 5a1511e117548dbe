#: tries = "a named tuple"
#: tests = '''
#: r = f(1)
#: assert r == (1, 2)
#: assert r.x == 1 and r.y == 2
#: assert r == P(1, 2)
#: assert isinstance(r, P) and isinstance(r, tuple)
#: assert repr(r) == 'P(x=1, y=2)'
#: assert r._asdict() == {'x': 1, 'y': 2}
#: assert r._replace(x=5) == (5, 2)
#: a, b = r
#: assert b == 2
#: assert f(P(1, 2)[0]) == P(1, 2)
#: assert {P(1, 2): 3}[1, 2] == 3
#: '''
from collections import namedtuple
P = namedtuple('P', 'x y')

def f(a):
    return P(a, a + 1)
