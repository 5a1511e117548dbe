#: tries = "the return value of a generator"
#: tests = '''
#: def t():
#:     r = (yield from f())
#:     assert r == 9
#: list(t())
#: '''
def f():
    yield 1
    return 9
