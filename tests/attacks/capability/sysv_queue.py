#: tries = "make a System V message queue"
#: prelude = "libc"


def f():
    queue = call("msgget", 0, 0o1600)
    if queue >= 0:
        call("msgctl", queue, 0, None)
        return True
