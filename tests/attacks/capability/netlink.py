#: tries = "open a netlink socket to the kernel"


def f():
    import socket

    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.bind((0, 0))
    return True
