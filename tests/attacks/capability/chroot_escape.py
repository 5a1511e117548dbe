#: tries = "chroot, the first half of the classic way out of one"
#: prelude = "libc"


def f():
    return call("chroot", b"/") == 0
