#: tries = "lock its memory so that it cannot be swapped"
#: prelude = "libc"


def f():
    locked = libc.mlockall(1) == 0
    libc.munlockall()
    return locked
