#: tries = "print a number of millions of digits, which takes quadratic time"
import sys


def f():
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    return len(str((1 << (1 << 25)) - 1)) > 0
