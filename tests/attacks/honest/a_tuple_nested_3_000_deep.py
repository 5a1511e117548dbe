#: tries = "a tuple nested 3,000 deep"
#: tests = '''
#: x = ()
#: for _ in range(3000):
#:     x = (x,)
#: y = f(x)
#: for _ in range(3000):
#:     (y,) = y
#: assert y == ()
#: '''
def f(x):
    return x
