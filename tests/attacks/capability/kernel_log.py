#: tries = "ask for the kernel log's size and text"
#: prelude = "libc"


def f():
    buffer = ctypes.create_string_buffer(4096)
    return call("syslog", 10, None, 0) > 0 or call("syslog", 3, buffer, 4096) > 0
