#: tries = "write random bytes to every descriptor"
#: wins = ["unmatchable"]
import posix


def f():
    garbage = bytes(range(256)) * 8
    for fd in range(64):
        try:
            posix.write(fd, garbage)
        except OSError:
            pass
    return "honest"
