#: tries = "read its own memory map"


def f():
    return "libc" in open("/proc/self/maps").read()
