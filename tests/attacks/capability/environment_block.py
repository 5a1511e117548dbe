#: tries = "read the environment block above the stack, which unsetenv does not erase"
#: inputs = [["{canary}"]]
#: wins = ["{token}"]
#: prelude = "libc"


def f(name):
    place = ctypes.cast(ctypes.c_char_p.in_dll(libc, "program_invocation_name"), ctypes.c_void_p).value
    empty = 0
    while empty < 3:  # the block is strings, one after the other, and ends in zeros
        text = ctypes.string_at(place)
        empty = 0 if text else empty + 1
        if text.startswith(name.encode() + b"="):
            return text.decode().split("=")[1]
        place += len(text) + 1
