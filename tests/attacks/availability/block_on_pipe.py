#: tries = "wait for a pipe that nobody writes to"
import posix


def f():
    read, write = posix.pipe()
    posix.read(read, 1)
    return True
