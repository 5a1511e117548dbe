#: tries = "shrink every pipe to one page, so that a result no longer fits"
#: wins = ["unmatchable"]


def f():
    import fcntl

    for fd in range(64):
        try:
            fcntl.fcntl(fd, 1031, 4096)  # F_SETPIPE_SZ
        except OSError:
            pass
    return "x" * 60_000
