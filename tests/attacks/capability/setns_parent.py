#: tries = "enter the harness's namespaces"
#: inputs = [["{parent_pid}"]]
#: prelude = "libc"


def f(parent):
    entered = 0
    for pid in (parent, os.getppid(), 1):
        for kind in ("net", "uts", "ipc"):
            fd = call("openat", -100, f"/proc/{pid}/ns/{kind}".encode(), 0)
            if fd >= 0:
                entered += call("setns", fd, 0) == 0
                os.close(fd)
    return entered > 0
