#: tries = "hold a thousand file descriptors"
import posix


def f():
    held = []
    try:
        for _ in range(1000):
            held.append(posix.dup(2))
        return True
    finally:
        for fd in held:
            posix.close(fd)
