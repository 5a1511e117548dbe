#: tries = "identity of constants"
#: tests = '''
#: assert f(True) is True and f(None) is None and (f(1) is not True)
#: '''
def f(x):
    return x
