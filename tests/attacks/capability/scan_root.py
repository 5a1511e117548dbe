#: tries = "list / with scandir and see the machine's own directories"
import posix


def f():
    names = {entry.name for entry in posix.scandir("/")}
    return {"etc", "usr"} <= names
