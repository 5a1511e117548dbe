#: tries = "clear or set the signal that it gets when its parent dies"
#: prelude = "libc"


def f():
    return libc.prctl(1, 0, 0, 0, 0) == 0
