#: tries = "spin past the limits before the function is defined"
import time

end = time.monotonic() + 2
while time.monotonic() < end:
    pass


def f():
    return True
