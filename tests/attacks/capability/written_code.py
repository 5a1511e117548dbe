#: tries = "run bytes that it wrote: made executable if it may, called as they are if not"
#: prelude = "libc"


def f():
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    page = libc.mmap(None, 4096, 3, 0x22, -1, 0)
    intel = os.uname().machine == "x86_64"
    code = b"\xb8\x2a\x00\x00\x00\xc3" if intel else b"\x40\x05\x80\x52\xc0\x03\x5f\xd6"
    ctypes.memmove(page, code, len(code))
    libc.mprotect(ctypes.c_void_p(page), 4096, 5)
    return ctypes.CFUNCTYPE(ctypes.c_int)(page)() == 42
