#: tries = "make every shared pipe non-blocking, which its other end did not expect"
#: wins = ["unmatchable"]
import posix


def f():
    for fd in range(64):
        try:
            posix.set_blocking(fd, False)
        except OSError:
            pass
    return "x" * 60_000
