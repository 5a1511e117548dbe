#: tries = "set an extended attribute of a file"
#: inputs = [["{victim}"]]
import posix


def f(path):
    for name in ("user.attack", "trusted.attack"):
        try:
            posix.setxattr(path, name, b"1")
        except OSError:
            continue
        return posix.getxattr(path, name) == b"1"
