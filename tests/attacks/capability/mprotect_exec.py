#: tries = "make written memory executable"
#: prelude = "libc"


def f():
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    page = libc.mmap(None, 4096, 3, 0x22, -1, 0)
    plain = libc.mprotect(ctypes.c_void_p(page), 4096, 5) == 0
    keyed = libc.syscall(ctypes.c_long(329), ctypes.c_void_p(page), 4096, 5, -1) == 0  # pkey_mprotect
    return plain or keyed
