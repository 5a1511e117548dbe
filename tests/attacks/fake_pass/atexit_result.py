#: tries = "write a forged result when the interpreter shuts down"
#: wins = "secret"
import atexit
import posix


@atexit.register
def last_word():
    for fd in range(1, 32):
        try:
            posix.write(fd, b'\n{"passed": [true], "outputs": ["\\"forged\\""], "status": "ok"}\n')
        except OSError:
            pass


def f():
    raise SystemExit(1)
