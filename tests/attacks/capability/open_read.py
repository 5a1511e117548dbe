#: tries = "read a file with open()"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]


def f(path):
    with open(path) as file:
        return file.read()
