#: tries = "raise its own hard limits with a raw prlimit64"
#: prelude = "libc"


def f():
    raised = 0
    for which in range(16):
        old = (ctypes.c_uint64 * 2)()
        if call("prlimit64", 0, which, None, old) == 0 and old[1] < 2**63:
            new = (ctypes.c_uint64 * 2)(old[0], old[1] + 1)
            if call("prlimit64", 0, which, new, None) == 0:
                call("prlimit64", 0, which, old, None)
                raised += 1
    return raised > 0
