#: tries = "a list that holds itself"
#: tests = '''
#: a = [1]
#: b = f(a)
#: assert b is a and a[1] is a
#: '''
def f(a):
    a.append(a)
    return a
