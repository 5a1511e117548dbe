#: tries = "a dataclass"
#: tests = '''
#: import dataclasses
#: r = f(1)
#: assert r == P(1, 1)
#: assert r != P(1, 2)
#: assert r.x == 1
#: assert r < P(2, 0)
#: assert sorted([P(3), P(1)]) == [P(1), P(3)]
#: assert dataclasses.asdict(r) == {'x': 1, 'y': 1, 't': []}
#: assert dataclasses.is_dataclass(r)
#: assert repr(r) == 'P(x=1, y=1, t=[])'
#: r.t.append(5)
#: assert r.t == [5]
#: r.x = 9
#: assert r.norm() == 10
#: assert dataclasses.replace(r, x=2).x == 2
#: assert r is not None and r != None
#: match r:
#:     case P(x, y):
#:         assert (x, y) == (9, 1)
#:     case _:
#:         assert 0
#: assert vars(r) == {'x': 9, 'y': 1, 't': [5]}
#: '''
from dataclasses import dataclass, field

@dataclass(order=True)
class P:
    x: int
    y: int = 0
    t: list = field(default_factory=list)

    def norm(self):
        return self.x + self.y

def f(a):
    return P(a, a)
