#: tries = "install a system call filter of its own, to make calls of the runner lie"
#: prelude = "libc"


def f():
    libc.prctl(38, 1, 0, 0, 0)
    allow = (ctypes.c_uint16 * 4)(0x06, 0, 0, 0x7FFF)  # BPF_RET SECCOMP_RET_ALLOW

    class Program(ctypes.Structure):
        _fields_ = [("size", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    program = Program(1, ctypes.addressof(allow))
    return call("seccomp", 1, 0, ctypes.byref(program)) == 0
