#: tries = "fill a disk (two hundred megabytes at most)"
#: inputs = [["{drop_dir}", "{name}"]]
import posix


def f(folder, name):
    for place in (folder, "/tmp", "/dev/shm", ".", "/"):
        path = f"{place}/{name}"
        try:
            fd = posix.open(path, posix.O_CREAT | posix.O_WRONLY)
        except OSError:
            continue
        try:
            for _ in range(200):
                posix.write(fd, bytes(1 << 20))
            return True
        finally:
            posix.close(fd)
            posix.unlink(path)
