#: tries = "write to standard error without end"
import sys
import time


def f():
    end = time.monotonic() + 2
    while time.monotonic() < end:
        sys.stderr.write("x" * 65536)
    return True
