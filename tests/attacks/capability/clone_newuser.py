#: tries = "clone into new namespaces, with clone3 so that the flags hide behind a pointer"
#: prelude = "libc"


def f():
    arguments = (ctypes.c_uint64 * 11)(0x10000000, 0, 0, 0, 17)
    child = call("clone3", arguments, ctypes.sizeof(arguments))
    if child == 0:
        os._exit(7)
    return child > 0 and os.waitpid(child, 0)[1] == 7 << 8
