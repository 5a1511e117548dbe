#: tries = "have a warning quote a line of a file"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import warnings


def f(path):
    return warnings.formatwarning("x", UserWarning, path, 1).splitlines()[1].strip()
