#: tries = "truncate a file by path, without opening it"
#: inputs = [["{victim}"]]
import posix


def f(path):
    posix.truncate(path, 3)
    return True
