#: tries = "an iterator of its own class"
#: entry = "It"
#: tests = '''
#: assert list(It(3)) == [2, 1, 0]
#: assert next(It(1)) == 0
#: '''
class It:

    def __init__(s, n):
        s.n = n

    def __iter__(s):
        return s

    def __next__(s):
        if s.n == 0:
            raise StopIteration
        s.n -= 1
        return s.n
