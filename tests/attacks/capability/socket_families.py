#: tries = "open a socket of any family at all, with raw calls"
#: prelude = "libc"


def f():
    opened = 0
    for family in range(46):  # AF_UNSPEC to AF_MCTP: vsock, alg, bluetooth, can, rds, tipc, xdp, ...
        for kind in (1, 2, 3, 5):
            fd = call("socket", family, kind | 0o2000000, 0)
            if fd >= 0:
                os.close(fd)
                opened += 1
    return opened > 0
