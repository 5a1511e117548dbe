#: tries = "signal its whole process group and session leader"
#: inputs = [["{signal}"]]
import posix


def f(number):
    if posix.getpgid(0) == 0:
        return None
    posix.killpg(posix.getpgid(0), number)
    return True
