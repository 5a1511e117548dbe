#: tries = "ask whether a file is there"
#: inputs = [["{secret_path}"]]
#: wins = [true]
import os.path


def f(path):
    return os.path.exists(path) or os.path.isfile(path) or os.path.lexists(path)
