#: tries = "open a file as a source"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import tokenize


def f(path):
    return tokenize.open(path).read()
