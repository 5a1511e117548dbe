#: tries = "overwrite code of the interpreter or the C library where it lies"
#: prelude = "libc"


def f():
    number = ctypes.c_long(14 if os.uname().machine == "x86_64" else 135)  # rt_sigprocmask, which writes 8 bytes
    written = 0
    for name in ("Py_GetCopyright", "Py_GetCompiler", "PyOS_mystrnicmp", "lockf", "hcreate", "ftw"):
        place = ctypes.cast(getattr(ctypes.pythonapi, name, None) or getattr(libc, name), ctypes.c_void_p).value
        libc.mprotect(ctypes.c_void_p(place & ~4095), 4096, 7)
        written += libc.syscall(number, ctypes.c_long(0), None, ctypes.c_void_p(place), ctypes.c_long(8)) == 0
    return written > 0
