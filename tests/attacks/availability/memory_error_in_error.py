#: tries = "run out of memory, then raise an error whose report needs memory too"
#: inputs = [[0], [1]]
#: wins = ["unmatchable"]

kept = []


def f(_):
    try:
        while True:
            kept.append(bytes(1 << 16))
    except MemoryError:
        pass
    try:
        while True:
            kept.append([None])
    except MemoryError:
        raise ValueError("x" * 399 + "\ud800" * 10)
