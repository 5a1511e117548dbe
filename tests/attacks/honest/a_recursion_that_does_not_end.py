#: tries = "a recursion that does not end"
#: tests = '''
#: try:
#:     f(0)
#: except RecursionError:
#:     pass
#: else:
#:     assert 0
#: '''
def f(n):
    return f(n + 1)
