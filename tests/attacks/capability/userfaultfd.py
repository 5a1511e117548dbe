#: tries = "handle page faults in user space, a lever for kernel exploits"
#: prelude = "libc"


def f():
    for flags in (0, 1):
        fd = call("userfaultfd", flags)
        if fd >= 0:
            os.close(fd)
            return True
