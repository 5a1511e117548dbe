#: tries = "list a folder"
#: inputs = [["{secret_path}"]]
#: wins = [true]
import os


def f(path):
    return os.path.basename(path) in [entry.name for entry in os.scandir(os.path.dirname(path))]
