#: tries = "return more items than the output limit"
#: wins_status = ["ok"]


def f():
    return list(range(10**6))
