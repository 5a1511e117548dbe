#: tries = "make an anonymous file, a place to load code from"
#: prelude = "libc"


def f():
    for fd in (call("memfd_create", b"x", 0), call("memfd_secret", 0)):
        if fd >= 0:
            os.close(fd)
            return True
