#: tries = "connect to a TCP listener on this machine"
#: inputs = [["{tcp_port}"]]


def f(port):
    import socket

    socket.create_connection(("127.0.0.1", port), 0.2).close()
    return True
