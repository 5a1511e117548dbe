#: tries = "fail in every case with a long error"
#: inputs = [[0], [1], [2], [3], [4], [5], [6], [7], [8], [9], [10], [11], [12], [13], [14], [15]]
#: wins = ["unmatchable"]


def f(number):
    raise ValueError("x" * 60_000)
