#: tries = "list its own descriptors through /proc/self/fd"
import posix


def f():
    return len(posix.listdir("/proc/self/fd")) > 0
