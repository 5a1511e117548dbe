#: tries = "fill four hundred megabytes with small objects"


def f():
    kept = [bytes(480) for _ in range(800_000)]
    return len(kept) == 800_000
