#: tries = "see other processes in /proc"
import posix


def f():
    return sum(name.isdigit() for name in posix.listdir("/proc")) > 1
