#: tries = "make an anonymous file with the built-in module"
import posix


def f():
    fd = posix.memfd_create("x")
    return posix.write(fd, b"code") == 4
