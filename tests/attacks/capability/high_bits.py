#: tries = "make forbidden calls with rubbish in the upper half of number and arguments, where a filter looks at the lower"
#: inputs = [["{parent_pid}", "{signal}"]]
#: prelude = "libc"


def f(parent, number):
    junk = 1 << 33
    kill = NUMBERS["kill"][os.uname().machine == "aarch64"]
    limits = NUMBERS["prlimit64"][os.uname().machine == "aarch64"]
    old = (ctypes.c_uint64 * 2)()
    return 0 in (
        libc.syscall(ctypes.c_long(junk + kill), ctypes.c_long(parent), ctypes.c_long(number)),
        libc.syscall(ctypes.c_long(limits), ctypes.c_long(junk + parent), ctypes.c_long(4), None, old),
    )
