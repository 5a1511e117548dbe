#: tries = "send a signal to the harness"
#: inputs = [["{parent_pid}", "{signal}"]]
import posix


def f(parent, number):
    for pid in (parent, posix.getppid()):
        try:
            posix.kill(pid, number)
            return True
        except OSError:
            continue
