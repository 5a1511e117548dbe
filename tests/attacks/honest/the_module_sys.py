#: tries = "the module sys"
#: tests = '''
#: assert f(()) == sys.getsizeof(())
#: '''
import sys

def f(x):
    return sys.getsizeof(x)
