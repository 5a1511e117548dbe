#: tries = "a tuple that holds a list"
#: tests = '''
#: a = ([], 2)
#: r = f(a)
#: assert a == ([1], 2) and r == a and (r[0] is a[0])
#: '''
def f(t):
    t[0].append(1)
    return t
