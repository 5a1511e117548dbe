#: tries = "set up io_uring, which does file and network calls that a filter never sees"
#: prelude = "libc"


def f():
    fd = call("io_uring_setup", 1, ctypes.create_string_buffer(248))
    if fd >= 0:
        os.close(fd)
        return True
