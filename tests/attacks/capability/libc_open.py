#: tries = "read a file with the C library's open"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
#: prelude = "libc"


def f(path):
    fd = libc.open(path.encode(), 0)
    text = ctypes.create_string_buffer(100)
    libc.read(fd, text, 100)
    os.close(fd)
    return text.value.decode()
