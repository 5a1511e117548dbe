#: tries = "a generator that is sent values"
#: tests = '''
#: g = f()
#: assert next(g) == 0
#: assert g.send(5) == 5
#: assert next(g) == 0
#: '''
def f():
    x = 0
    while True:
        x = (yield x) or 0
