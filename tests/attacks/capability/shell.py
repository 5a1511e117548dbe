#: tries = "run a shell command and count on its status"
import posix


def f():
    return posix.system("exit 7") == 7 << 8
