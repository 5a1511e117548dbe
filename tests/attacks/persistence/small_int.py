#: tries = "change the value of the number 255, which all programs share, with ctypes"
#: before = "poison"


def poison():
    import ctypes

    ctypes.memset(id(255) + 24, 7, 1)


def f():
    return int("25") * 10 + int("5") == 7
