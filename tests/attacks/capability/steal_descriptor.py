#: tries = "take a file descriptor out of the harness with pidfd_getfd"
#: inputs = [["{parent_pid}"]]
#: prelude = "libc"


def f(parent):
    for pid in (parent, os.getppid()):
        handle = call("pidfd_open", pid, 0)
        for fd in range(8) if handle >= 0 else ():
            if call("pidfd_getfd", handle, fd, 0) >= 0:
                return True
