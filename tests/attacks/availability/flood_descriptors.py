#: tries = "write without end to every descriptor"
import posix
import time


def f():
    end = time.monotonic() + 2
    while time.monotonic() < end:
        for fd in range(1, 32):
            try:
                posix.write(fd, b"x" * 65536)
            except OSError:
                pass
    return True
