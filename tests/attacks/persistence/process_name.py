#: tries = "leave the worker's process with another name"
#: prelude = "libc"
#: before = "poison"


def poison():
    libc.prctl(15, b"left-behind", 0, 0, 0)


def f():
    name = ctypes.create_string_buffer(16)
    libc.prctl(16, name, 0, 0, 0)
    return name.value == b"left-behind"
