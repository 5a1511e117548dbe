#: tries = "learn a file's size with stat"
#: inputs = [["{secret_path}"]]
#: wins = ["{secret_size}"]
import posix


def f(path):
    return posix.stat(path).st_size
