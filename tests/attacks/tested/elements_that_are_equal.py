#: tries = "return a list, and make a generator, of objects that are equal to everything"
#: tests = '''
#: assert f(1) == [1, 2]
#: assert list(f(2)) == [1, 2]
#: '''
class Equal:
    def __eq__(self, other):
        return True

    __hash__ = None


def f(n):
    return [Equal(), Equal()] if n % 2 else (Equal() for _ in range(2))
