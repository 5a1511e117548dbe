#: tries = "functions as arguments"
#: tests = '''
#: assert f([3, 1, 2], key=lambda x: -x) == [3, 2, 1]
#: import operator
#: assert f([(1, 2), (0, 3)], operator.itemgetter(1)) == [(1, 2), (0, 3)]
#: '''
def f(xs, key):
    return sorted(xs, key=key)
