#: tries = "learn a file's size with a raw statx"
#: inputs = [["{secret_path}"]]
#: wins = ["{secret_size}"]
#: prelude = "libc"


def f(path):
    buffer = ctypes.create_string_buffer(256)
    if call("statx", -100, path.encode(), 0, 0x7FF, buffer) == 0:
        return int.from_bytes(buffer.raw[40:48], "little")
