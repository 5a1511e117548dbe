#: tries = "connect to a TCP listener with C calls"
#: inputs = [["{tcp_port}"]]
#: prelude = "libc"


def f(port):
    fd = libc.socket(2, 1, 0)
    address = (2).to_bytes(2, "little") + port.to_bytes(2, "big") + bytes([127, 0, 0, 1]) + bytes(8)
    return libc.connect(fd, address, 16) == 0 and os.close(fd) is None
