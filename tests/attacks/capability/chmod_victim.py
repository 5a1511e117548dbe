#: tries = "change a file's mode"
#: inputs = [["{victim}"]]
import posix


def f(path):
    posix.chmod(path, 0o600)
    return True
