#: tries = "become /bin/true"
#: wins = "secret"
import posix


def f():
    posix.execve("/bin/true", ["true"], {})
