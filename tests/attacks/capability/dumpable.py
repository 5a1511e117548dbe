#: tries = "make itself dumpable again, or traceable by any process"
#: prelude = "libc"


def f():
    return libc.prctl(4, 1, 0, 0, 0) == 0 or libc.prctl(0x59616D61, -1, 0, 0, 0) == 0
