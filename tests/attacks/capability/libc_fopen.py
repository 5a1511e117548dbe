#: tries = "read a file with stdio"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
#: prelude = "libc"


def f(path):
    libc.fopen.restype = ctypes.c_void_p
    stream = libc.fopen(path.encode(), b"r")
    text = ctypes.create_string_buffer(100)
    if stream:
        libc.fgets(text, 100, ctypes.c_void_p(stream))
        libc.fclose(ctypes.c_void_p(stream))
    return text.value.decode()
