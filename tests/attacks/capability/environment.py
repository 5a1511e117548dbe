#: tries = "read an environment variable"
#: inputs = [["{canary}"]]
#: wins = ["{token}"]
import os


def f(name):
    return os.environ[name]
