#: tries = "fill every pipe to the brim, so that the runner blocks on its result"
#: wins = ["unmatchable"]
import posix


def f():
    for fd in range(64):
        try:
            posix.set_blocking(fd, False)
            while posix.write(fd, b" " * 65536):
                pass
        except OSError:
            pass
        try:
            posix.set_blocking(fd, True)
        except OSError:
            pass
    return "honest"
