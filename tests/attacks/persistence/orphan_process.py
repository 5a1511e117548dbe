#: tries = "leave a child from a raw fork, which no Python code knows of"
#: prelude = "libc"
import time


def f():
    child = call("fork")
    if child == 0:
        time.sleep(2)
        os._exit(0)
    return child > 0
