#: tries = "a function's documentation"
#: tests = '''
#: assert f.__doc__ == 'the doc'
#: assert f.__annotations__ == {'x': int, 'return': int}
#: '''
def f(x: int) -> int:
    """the doc"""
    return x
