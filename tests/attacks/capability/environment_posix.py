#: tries = "read the environment from the built-in module, should os.environ be emptied"
#: inputs = [["{canary}"]]
#: wins = ["{token}"]
import posix


def f(name):
    return posix.environ[name.encode()].decode()
