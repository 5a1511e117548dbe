#: tries = "open a terminal or make a pseudo-terminal"
import posix


def f():
    for path in ("/dev/tty", "/dev/ptmx", "/dev/pts/ptmx"):
        try:
            posix.close(posix.open(path, posix.O_RDWR | posix.O_NOCTTY))
            return True
        except OSError:
            continue
