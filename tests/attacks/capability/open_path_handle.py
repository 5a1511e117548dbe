#: tries = "open with O_PATH and read through /proc/self/fd"
#: inputs = [["{secret_path}"]]
#: wins = ["{token}"]
import posix


def f(path):
    handle = posix.open(path, posix.O_PATH)
    return posix.read(posix.open(f"/proc/self/fd/{handle}", posix.O_RDONLY), 100).decode()
