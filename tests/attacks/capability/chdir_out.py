#: tries = "change directory, then read with a relative path"
#: inputs = [["{secret_dir}"]]
#: wins = ["{token}"]
import posix


def f(folder):
    before = posix.getcwd()
    posix.chdir(folder)
    try:
        return open("secret.txt").read()
    finally:
        posix.chdir(before)
