#: tries = "read a file by its path"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import pathlib


def f(path):
    return pathlib.Path(path).read_text()
