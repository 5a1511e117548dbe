#: tries = "pass True off as 1, which == accepts"
#: wins = [1]


def f():
    return True
