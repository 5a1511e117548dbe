#: tries = "nested lists changed in place"
#: tests = '''
#: a = [[1, 2], [3]]
#: row = a[0]
#: f(a)
#: assert a == [[9, 2], [3, 9, 2], [1]]
#: assert row is a[0] and row == [9, 2]
#: '''
def f(m):
    m[0][0] = 9
    m.append([1])
    m[1].extend(m[0])
