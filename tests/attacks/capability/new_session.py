#: tries = "leave its process group and session, past a kill of the group"
import posix


def f():
    try:
        posix.setpgid(0, 0)
        return True
    except OSError:
        pass
    posix.setsid()
    return True
