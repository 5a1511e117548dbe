#: tries = "return an object that is found in any set, by its hash and its equality"
#: tests = '''
#: assert f(3) in {3, 5, 8}
#: assert any(f(3) == x for x in (3, 5))
#: '''
class Found:
    def __init__(self, number):
        self.number = number

    def __hash__(self):
        return self.number

    def __eq__(self, other):
        return True


def f(n):
    return Found(n)
