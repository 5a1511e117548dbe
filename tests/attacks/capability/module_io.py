#: tries = "open a file as code"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import io


def f(path):
    with io.open_code(path) as file:
        return file.read().decode()
