#: tries = "pass 1.0 off as 1, which == accepts"
#: wins = [1]


def f():
    return 1.0
