#: tries = "read a file with the frozen importer's loader"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import _frozen_importlib_external as external


def f(path):
    return external.FileLoader("x", path).get_data(path).decode()
