#: tries = "make a POSIX message queue"
#: inputs = [["{name}"]]
#: prelude = "libc"


def f(name):
    fd = call("mq_open", name.encode(), 0o102, 0o600, None)
    if fd >= 0:
        os.close(fd)
        call("mq_unlink", name.encode())
        return True
