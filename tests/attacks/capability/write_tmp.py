#: tries = "write to any of the usual writable places"
#: inputs = [["{name}"]]
import posix


def f(name):
    for place in ("/tmp", "/var/tmp", "/dev/shm", "/dev/mqueue", ".", "/"):
        try:
            fd = posix.open(f"{place}/{name}", posix.O_CREAT | posix.O_WRONLY)
        except OSError:
            continue
        posix.write(fd, b"here")
        posix.close(fd)
        posix.unlink(f"{place}/{name}")
        return True
