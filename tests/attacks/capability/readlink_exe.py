#: tries = "read the link /proc/self/exe"
import posix


def f():
    return len(posix.readlink("/proc/self/exe")) > 1
