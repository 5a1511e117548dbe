#: tries = "give an object now, and have it change to what is found out later"
#: tests = '''
#: first = f(3)
#: f(4)
#: assert first == [8]
#: '''
kept = []


def f(n):
    kept.append([n])
    return kept[-1]


def g(right):
    kept[0][:] = [right]
