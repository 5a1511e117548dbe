#: tries = "store and find a key in the kernel, which outlives the process in a session keyring"
#: prelude = "libc"


def f():
    serial = call("add_key", b"user", b"attack", b"x", 1, -2)  # KEY_SPEC_PROCESS_KEYRING: dies with the process
    return serial > 0 or call("keyctl", 0, -2, 1) > 0
