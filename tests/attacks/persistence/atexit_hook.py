#: tries = "leave work for the shutdown of another program's process"
#: before = "poison"
import atexit


def poison():
    for _ in range(100):
        atexit.register(int)


def f():
    return atexit._ncallbacks() >= 100
