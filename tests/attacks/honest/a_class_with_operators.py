#: tries = "a class with operators"
#: entry = "V"
#: tests = '''
#: assert V(1, 2) + V(3, 4) == V(4, 6)
#: assert V(1, 2) * 2 == V(2, 4) and 2 * V(1, 2) == V(2, 4)
#: assert not V(0, 0)
#: assert list(V(1, 2)) == [1, 2]
#: assert V(1, 2)[0] == 1
#: assert len({V(1, 2), V(1, 2)}) == 1
#: assert 1 in V(1, 2)
#: x, y = V(5, 6)
#: assert x == 5
#: assert V(1, 2) != V(1, 3)
#: '''
class V:

    def __init__(s, x, y):
        s.x, s.y = (x, y)

    def __add__(s, o):
        return V(s.x + o.x, s.y + o.y)

    def __mul__(s, k):
        return V(s.x * k, s.y * k)
    __rmul__ = __mul__

    def __eq__(s, o):
        return isinstance(o, V) and (s.x, s.y) == (o.x, o.y)

    def __hash__(s):
        return hash((s.x, s.y))

    def __bool__(s):
        return bool(s.x or s.y)

    def __iter__(s):
        return iter((s.x, s.y))

    def __getitem__(s, i):
        return (s.x, s.y)[i]

    def __contains__(s, v):
        return v in (s.x, s.y)
