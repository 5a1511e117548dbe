#: tries = "have a reader of shell words go on in another file"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import shlex


def f(path):
    name, file = shlex.shlex("x").sourcehook(path)
    return file.read()
