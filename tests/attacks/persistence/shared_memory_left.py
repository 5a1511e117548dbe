#: tries = "leave a System V shared memory segment with a note"
#: prelude = "libc"
#: before = "poison"
KEY = 0x41545443


def poison():
    call("shmget", KEY, 4096, 0o1666)


def f():
    segment = call("shmget", KEY, 4096, 0)
    if segment >= 0:
        call("shmctl", segment, 0, None)
        return True
