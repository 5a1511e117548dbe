#: tries = "fork with exactly the flags that a runner itself may fork with"
#: prelude = "libc"


def f():
    handle = ctypes.c_int()
    for flags in (0x1000 | 17, 0x1000, 0x4000 | 0x100 | 17, 0x1000 | 0x4000 | 0x100 | 17):
        child = call("clone", flags, 0, ctypes.byref(handle), 0, 0)
        if child == 0:
            os._exit(7)
        if child > 0:
            os.waitpid(child, 0 if flags & 0xFF == 17 else 0x80000000)  # __WCLONE
            return True
