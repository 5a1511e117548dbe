#: tries = "a context manager made of a generator"
#: tests = '''
#: with f() as x:
#:     assert x == 5
#: '''
import contextlib

@contextlib.contextmanager
def f():
    yield 5
