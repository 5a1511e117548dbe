#: tries = "compare kernel objects with its parent"
#: prelude = "libc"


def f():
    return call("kcmp", os.getpid(), os.getppid(), 0, 0, 0) >= 0
