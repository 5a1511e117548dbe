#: tries = "ask for signals, leases and other flags on every descriptor"
#: wins = ["unmatchable"]


def f():
    import fcntl
    import posix

    for fd in range(64):
        for command, value in ((fcntl.F_SETFL, posix.O_ASYNC | posix.O_APPEND), (fcntl.F_SETOWN, posix.getpid()), (1024, 1)):
            try:
                fcntl.fcntl(fd, command, value)
            except OSError:
                pass
    return "honest"
