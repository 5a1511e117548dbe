#: tries = "a list nested 3,000 deep"
#: tests = '''
#: x = []
#: for _ in range(3000):
#:     x = [x]
#: y = f(x)
#: assert y is x
#: '''
def f(x):
    return x
