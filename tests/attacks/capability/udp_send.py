#: tries = "send a datagram to a listener on this machine"
#: inputs = [["{udp_port}"]]


def f(port):
    import socket

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        return sender.sendto(b"out", ("127.0.0.1", port)) == 3
