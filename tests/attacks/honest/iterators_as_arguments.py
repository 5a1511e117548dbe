#: tries = "iterators as arguments"
#: tests = '''
#: assert f((x for x in range(5))) == 10
#: assert f(iter([1, 2])) == 3
#: assert f(map(int, '12')) == 3
#: '''
def f(it):
    return sum(it)
