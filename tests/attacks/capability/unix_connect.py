#: tries = "connect to a unix socket by path"
#: inputs = [["{unix_path}"]]


def f(path):
    import socket

    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
    return True
