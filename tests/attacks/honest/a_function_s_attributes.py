#: tries = "a function's attributes"
#: tests = '''
#: f(1)
#: f(2)
#: assert f.calls == 2
#: '''
def f(x):
    f.calls += 1
    return x
f.calls = 0
