#: tries = "fill kernel memory with the buffers of many pipes"
import posix


def f():
    held = []
    try:
        for _ in range(500):
            held += posix.pipe()
        return True
    finally:
        for fd in held:
            posix.close(fd)
