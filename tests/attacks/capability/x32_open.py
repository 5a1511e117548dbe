#: tries = "make a system call with the x32 bit set, which a careless filter lets through"
#: inputs = [["{secret_path}"]]
#: prelude = "libc"


def f(path):
    x32 = 0x40000000
    fd = libc.syscall(ctypes.c_long(x32 + 2), path.encode(), 0, 0)
    if fd >= 0:
        os.close(fd)
        return True
    return ctypes.get_errno() not in (errno.ENOSYS, errno.EPERM, errno.EACCES)
