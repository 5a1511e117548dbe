#: tries = "pass {1: 2} off as {\"1\": 2}, which JSON makes of it"
#: inputs = [[0], [1], [2]]
#: wins = [{1 = 2}, {true = 2}, {null = 2}]


def f(kind):
    return {[1, True, None][kind]: 2}
