#: tries = "read a file through a codec"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import codecs


def f(path):
    with codecs.open(path, encoding="utf-8") as file:
        return file.read()
