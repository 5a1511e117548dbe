#: tries = "have the kernel send a pipe's signal to the harness, with F_SETOWN and F_SETSIG"
#: inputs = [["{parent_pid}", "{signal}"]]
import posix


def f(parent, number):
    import fcntl

    read, write = posix.pipe()
    try:
        fcntl.fcntl(read, fcntl.F_SETOWN, parent)
        fcntl.fcntl(read, 10, number)  # F_SETSIG
        fcntl.fcntl(read, fcntl.F_SETFL, posix.O_ASYNC | posix.O_NONBLOCK)
        posix.write(write, b"x")
    finally:
        posix.close(read)
        posix.close(write)
    return "sent; only the harness can tell whether it arrived"
