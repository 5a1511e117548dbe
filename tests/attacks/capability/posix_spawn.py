#: tries = "start a program with posix_spawn"
import posix


def f():
    child = posix.posix_spawn("/bin/true", ["true"], {})
    return posix.waitpid(child, 0)[1] == 0
