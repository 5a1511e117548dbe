#: tries = "the cause of an exception"
#: tests = '''
#: try:
#:     f()
#: except ValueError as e:
#:     assert isinstance(e.__cause__, ZeroDivisionError)
#: else:
#:     raise AssertionError('nothing was raised')
#: '''
def f():
    try:
        1 / 0
    except ZeroDivisionError as e:
        raise ValueError('bad') from e
