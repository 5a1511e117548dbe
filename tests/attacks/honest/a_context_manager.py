#: tries = "a context manager"
#: tests = '''
#: with C() as c:
#:     raise ValueError('x')
#: assert c.t is ValueError
#: '''
class C:

    def __enter__(s):
        return s

    def __exit__(s, t, v, tb):
        s.t = t
        return True

def f():
    return C()
