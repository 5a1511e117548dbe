#: tries = "install a segment in the local descriptor table"
#: prelude = "libc"


def f():
    return call("modify_ldt", 0, ctypes.create_string_buffer(64), 64) >= 0
