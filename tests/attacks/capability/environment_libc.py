#: tries = "read the C library's environment, which emptying os.environ does not touch"
#: inputs = [["{canary}"]]
#: wins = ["{token}"]
#: prelude = "libc"


def f(name):
    libc.getenv.restype = ctypes.c_char_p
    return libc.getenv(name.encode()).decode()
