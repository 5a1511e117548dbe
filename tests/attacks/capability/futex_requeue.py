#: tries = "use robust lists and shared futexes of its parent, by which a dying process writes into others"
#: prelude = "libc"


def f():
    head, length = ctypes.c_void_p(), ctypes.c_size_t()
    robust = {"x86_64": 274, "aarch64": 100}[os.uname().machine]
    parent = os.getppid() or 1
    return libc.syscall(ctypes.c_long(robust), parent, ctypes.byref(head), ctypes.byref(length)) == 0
