#: tries = "a decorated function"
#: tests = '''
#: assert f(1) == 1 and f.__name__ == 'f'
#: '''
import functools

def deco(fn):

    @functools.wraps(fn)
    def w(*a):
        return fn(*a)
    return w

@deco
def f(x):
    """doc"""
    return x
