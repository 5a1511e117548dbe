#: tries = "leave with status 0 from inside the function"
#: wins = "secret"
import posix


def f():
    posix._exit(0)
