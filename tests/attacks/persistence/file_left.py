#: tries = "leave a file for the next program in any writable place"
#: inputs = [["{name}"]]
#: before = "poison"
import posix

PLACES = ("/tmp", "/dev/shm", "/var/tmp", ".", "/")


def poison(name):
    for place in PLACES:
        try:
            posix.close(posix.open(f"{place}/{name}", posix.O_CREAT | posix.O_WRONLY))
            return
        except OSError:
            continue


def f(name):
    for place in PLACES:
        try:
            posix.unlink(f"{place}/{name}")
            return True
        except OSError:
            continue
