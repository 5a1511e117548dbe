#: tries = "a function of the tests that notes its calls"
#: tests = '''
#: seen = []
#:
#: def h(x):
#:     seen.append(x)
#:     return x + 1
#: assert f(h, [1, 2]) == [2, 3]
#: assert seen == [1, 2]
#: '''
def f(g, xs):
    return [g(x) for x in xs]
