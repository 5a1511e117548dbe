#: tries = "read a file with openat2, which filters written for open forget"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
#: prelude = "libc"


def f(path):
    fd = call("openat2", -100, path.encode(), (ctypes.c_uint64 * 3)(0, 0, 0), 24)
    text = os.read(fd, 100).decode()
    os.close(fd)
    return text
