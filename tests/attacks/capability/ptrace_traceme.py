#: tries = "ask to be traced by its parent"
#: prelude = "libc"


def f():
    return call("ptrace", 0, 0, 0, 0) == 0
