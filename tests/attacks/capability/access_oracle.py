#: tries = "tell whether a file exists by how access() fails"
#: inputs = [["{secret_path}"]]
import posix


def f(path):
    return posix.access(path, posix.F_OK) and not posix.access(path + "-absent", posix.F_OK)
