#: tries = "make a user namespace, in which it is root"
#: prelude = "libc"


def f():
    return call("unshare", 0x10000000) == 0
