#: tries = "remove a file"
#: inputs = [["{victim}"]]
import posix


def f(path):
    posix.unlink(path)
    return True
