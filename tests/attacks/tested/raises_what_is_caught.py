#: tries = "raise an exception of a class with the name of the expected one"
#: tests = '''
#: try:
#:     f(-1)
#: except ValueError as error:
#:     assert str(error) == "negative"
#: else:
#:     raise AssertionError
#: '''
class ValueError(Exception):
    pass


def f(n):
    raise ValueError("negative")
