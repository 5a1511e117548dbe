#: tries = "copies of objects"
#: entry = "A"
#: tests = '''
#: import copy
#: a = A()
#: b = copy.deepcopy(a)
#: b.v.append(2)
#: assert a.v == [1] and b.v == [1, 2]
#: c = copy.copy(a)
#: assert c.v is a.v and c is not a
#: '''
class A:

    def __init__(s):
        s.v = [1]
