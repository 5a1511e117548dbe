#: tries = "read a file with the system call's own wrapper, from the built-in module"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import posix


def f(path):
    return posix.read(posix.open(path, posix.O_RDONLY), 100).decode()
