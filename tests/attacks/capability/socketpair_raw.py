#: tries = "make a socket pair with a raw call"
#: prelude = "libc"


def f():
    pair = (ctypes.c_int * 2)()
    if call("socketpair", 1, 1, 0, pair) == 0:
        os.close(pair[0])
        os.close(pair[1])
        return True
