#: tries = "make a System V shared memory segment"
#: prelude = "libc"


def f():
    segment = call("shmget", 0, 4096, 0o1600)
    if segment >= 0:
        call("shmctl", segment, 0, None)
        return True
