#: tries = "make any namespace (time, cgroup, uts, ipc)"
#: prelude = "libc"


def f():
    kinds = (0x80, 0x02000000, 0x04000000, 0x08000000, 0x40000000)
    return 0 in [call("unshare", kind) for kind in kinds]
