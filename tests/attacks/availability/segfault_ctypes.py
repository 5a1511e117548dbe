#: tries = "crash the interpreter by reading address zero"


def f():
    import ctypes

    return ctypes.string_at(0)
