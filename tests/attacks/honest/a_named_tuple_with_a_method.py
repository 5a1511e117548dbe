#: tries = "a named tuple with a method"
#: tests = '''
#: assert f(P(1, 2)) == 3
#: assert P(4).norm() == 4
#: assert P(x=3) == (3, 0)
#: '''
from typing import NamedTuple

class P(NamedTuple):
    x: int
    y: int = 0

    def norm(self):
        return self.x + self.y

def f(p):
    return p.norm() if isinstance(p, P) else None
