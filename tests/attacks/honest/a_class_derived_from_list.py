#: tries = "a class derived from list"
#: tests = '''
#: s = f()
#: assert s == [1, 2]
#: s.push(3)
#: assert s == [1, 2, 3] and s.peek() == 3
#: s.append(4)
#: assert s.peek() == 4
#: assert isinstance(s, St) and isinstance(s, list)
#: t = St()
#: t.push(1)
#: assert t == [1]
#: assert len(t) == 1
#: '''
class St(list):

    def push(self, x):
        self.append(x)

    def peek(self):
        return self[-1]

def f():
    return St([1, 2])
