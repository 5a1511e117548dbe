#: tries = "make a list of fifty million items"


def f():
    return len([0] * (5 * 10**7)) == 5 * 10**7
