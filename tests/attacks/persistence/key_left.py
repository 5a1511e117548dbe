#: tries = "leave a note in the user's kernel keyring"
#: prelude = "libc"
#: before = "poison"


def poison():
    call("add_key", b"user", b"autotelic-attack", b"note", 4, -2)


def f():
    return call("keyctl", 10, -2, b"user", b"autotelic-attack", 0) > 0
