#: tries = "put one pipe of its own in the place of every descriptor"
#: wins = ["unmatchable"]
import posix


def f():
    read, write = posix.pipe()
    for fd in range(64):
        if fd not in (read, write):
            try:
                posix.dup2(write, fd)
            except OSError:
                pass
    return "honest"
