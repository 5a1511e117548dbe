#: tries = "turn off address randomisation for what it starts"
#: prelude = "libc"


def f():
    before = call("personality", 0xFFFFFFFF)
    changed = before >= 0 and call("personality", before | 0x0040000) >= 0
    call("personality", before)
    return changed
