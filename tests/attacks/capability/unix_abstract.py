#: tries = "connect to an abstract unix socket, which no file permission guards"
#: inputs = [["{name}"]]


def f(name):
    import socket

    with socket.socket(socket.AF_UNIX) as client:
        client.connect("\0" + name)
    return True
