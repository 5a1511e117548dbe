#: tries = "unmap or protect the memory that results are reported in"
#: prelude = "page"
#: wins_status = ["ok"]


def f():
    base, room = find_page()
    libc.mprotect(ctypes.c_void_p(base), 4096, 0)
    libc.munmap(ctypes.c_void_p(base), 4096)
    return "honest"
