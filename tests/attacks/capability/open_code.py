#: tries = "read a file with io.open_code(), which the importer uses"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import _io


def f(path):
    return _io.open_code(path).read().decode()
