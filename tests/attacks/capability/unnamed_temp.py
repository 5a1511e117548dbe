#: tries = "write to disk without a name, with O_TMPFILE"
import posix


def f():
    for place in ("/tmp", "/var/tmp", "/dev/shm", ".", "/"):
        try:
            return posix.write(posix.open(place, 0o20000000 | posix.O_DIRECTORY | posix.O_RDWR, 0o600), b"x") == 1
        except OSError:
            continue
