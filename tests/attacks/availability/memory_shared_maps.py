#: tries = "take memory that a limit on private data does not count: shared anonymous maps"


def f():
    import mmap

    kept = []
    for _ in range(8):
        block = mmap.mmap(-1, 50 << 20, mmap.MAP_SHARED | mmap.MAP_ANONYMOUS)
        for at in range(0, 50 << 20, 4096):
            block[at] = 1
        kept.append(block)
    return True
