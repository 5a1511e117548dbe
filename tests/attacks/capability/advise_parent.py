#: tries = "advise the kernel about another process's memory"
#: prelude = "libc"


def f():
    handle = call("pidfd_open", os.getppid(), 0)
    vector = (ctypes.c_size_t * 2)(0, 0)
    return handle >= 0 and call("process_madvise", handle, vector, 1, 20, 0) >= 0
