#: tries = "list a directory with raw openat and getdents64"
#: inputs = [["{secret_dir}"]]
#: prelude = "libc"


def f(folder):
    fd = call("openat", -100, folder.encode(), os.O_RDONLY | os.O_DIRECTORY)
    buffer = ctypes.create_string_buffer(4096)
    size = call("getdents64", fd, buffer, 4096)
    os.close(fd)
    return b"secret.txt" in buffer.raw[: max(size, 0)]
