#: tries = "a class that is returned"
#: tests = '''
#: c = f()
#: assert isinstance(c(), c)
#: '''
def f():

    class L:
        pass
    return L
