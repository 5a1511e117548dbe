#: tries = "print bytes that are no UTF-8, NULs and terminal codes"
#: wins = ["unmatchable"]
import posix


def f():
    posix.write(1, b"\xff\xfe\xed\xa0\x80\x00\x1b[2J\x1b]0;owned\x07\xf0\x9f\x98")
    print("\x1b[31m\x00\ufeff\u202e", end="")
    return "honest"
