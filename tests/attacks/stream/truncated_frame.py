#: tries = "write the first half of a frame to every descriptor and leave"
#: wins = ["unmatchable"]
import posix


def f():
    for fd in range(64):
        try:
            posix.write(fd, b'\x00\x00\x10\x00{"status": "ok", "outputs": ["1"')
        except OSError:
            pass
    posix._exit(0)
