#: tries = "make a socket pair"


def f():
    import socket

    a, b = socket.socketpair()
    a.send(b"x")
    return b.recv(1) == b"x"
