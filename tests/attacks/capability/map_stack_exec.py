#: tries = "make its stack executable, and map memory executable through every flag that implies it"
#: prelude = "libc"


def f():
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    here = ctypes.addressof(ctypes.create_string_buffer(1)) & ~4095
    made = [libc.mprotect(ctypes.c_void_p(here), 4096, prot) == 0 for prot in (7, 7 | 0x01000000)]
    call("personality", 0x0400000)  # READ_IMPLIES_EXEC
    made += [libc.mmap(None, 4096, prot, flags, -1, 0) not in (None, 2**64 - 1) for prot in (4, 5, 6) for flags in (0x22, 0x21)]
    if os.uname().machine == "x86_64":  # a bit above the 32 that a filter may look at
        made.append(libc.syscall(ctypes.c_long(9), None, 4096, ctypes.c_ulong(7 | 1 << 40), 0x22, -1, 0) > 0)
    return any(made)
