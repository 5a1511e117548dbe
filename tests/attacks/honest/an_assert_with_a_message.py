#: tries = "an assert with a message"
#: tests = '''
#: assert f(1) == 1, 'message %s' % f(1)
#: '''
def f(x):
    return x
