#: tries = "leave another program running"
import posix


def f():
    return posix.posix_spawn("/bin/sleep", ["sleep", "2"], {}) > 0
