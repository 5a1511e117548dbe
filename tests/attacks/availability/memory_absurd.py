#: tries = "ask for more memory than there is and survive the refusal"


def f():
    for size in (1 << 40, 1 << 50, 1 << 62):
        try:
            return len(bytes(size)) > 0
        except (MemoryError, OverflowError):
            pass
    return "refused, as it should be"
