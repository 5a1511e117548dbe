#: tries = "shut down every socket that it inherited, for all who share it"
#: wins = ["unmatchable"]


def f():
    import socket

    for fd in range(64):
        try:
            socket.socket(fileno=fd).shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
    return "honest"
