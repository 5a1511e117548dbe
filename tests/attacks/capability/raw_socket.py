#: tries = "open raw and packet sockets"


def f():
    import socket

    for family, kind, protocol in ((socket.AF_INET, socket.SOCK_RAW, 1), (socket.AF_PACKET, socket.SOCK_RAW, 0)):
        try:
            socket.socket(family, kind, protocol).close()
            return True
        except OSError:
            continue
