#: tries = "reach files by the newer mount calls: open_tree and fsopen"
#: prelude = "libc"


def f():
    for fd in (call("open_tree", -100, b"/", 1), call("fsopen", b"tmpfs", 0)):
        if fd >= 0:
            os.close(fd)
            return True
