#: tries = "print a flood when the interpreter shuts down"
import atexit


@atexit.register
def flood():
    for _ in range(1000):
        print("z" * 65536)


def f():
    raise SystemExit
