#: tries = "pass a big int off as the float it rounds to"
#: wins = [9007199254740992.0]


def f():
    return 2**53
