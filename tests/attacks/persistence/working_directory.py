#: tries = "leave the worker in another directory, with another umask"
#: before = "poison"
import posix


def poison():
    posix.umask(0o123)
    try:
        posix.chdir("/usr")
    except OSError:
        pass


def f():
    mask = posix.umask(0o22)
    return mask == 0o123 or posix.getcwd() == "/usr"
