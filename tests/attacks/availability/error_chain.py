#: tries = "raise an error with a cyclic chain of causes a hundred thousand long"
#: wins = ["unmatchable"]


def f():
    first = error = ValueError("first")
    for _ in range(100_000):
        error.__cause__ = ValueError()
        error = error.__cause__
    error.__cause__ = first
    raise first
