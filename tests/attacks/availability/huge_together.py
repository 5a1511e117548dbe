#: tries = "return many results, each below the output limit"
#: inputs = [[0], [1], [2], [3], [4], [5], [6], [7]]
#: wins_status = ["ok"]


def f(_):
    return "x" * 60_000
