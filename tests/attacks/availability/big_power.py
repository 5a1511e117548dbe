#: tries = "raise a number to a power that takes minutes, in one C call"


def f():
    return (10 ** (10**8)) % 7 >= 0
