#: tries = "print without a line end and without a flush"
import sys


def f():
    sys.stdout.write("y" * (30 << 20))
    return "printed"
