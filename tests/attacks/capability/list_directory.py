#: tries = "list a directory"
#: inputs = [["{secret_dir}"]]
#: wins = [["secret.txt"]]
import posix


def f(folder):
    return posix.listdir(folder)
