#: tries = "grow little by little past the limit and catch MemoryError"


def f():
    kept = []
    try:
        for _ in range(400):
            kept.append(bytearray(1 << 20))
    except MemoryError:
        pass
    return len(kept) == 400
