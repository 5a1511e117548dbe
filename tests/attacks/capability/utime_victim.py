#: tries = "change a file's times"
#: inputs = [["{victim}"]]
import posix


def f(path):
    posix.utime(path, (5, 5))
    return True
