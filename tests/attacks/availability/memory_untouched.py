#: tries = "reserve eight gigabytes of address space without touching them"


def f():
    import mmap

    mmap.mmap(-1, 8 << 30).close()
    return True
