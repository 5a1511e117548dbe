#: tries = "return a list nested a hundred thousand deep"
#: wins_status = ["ok"]


def f():
    nest = []
    for _ in range(100_000):
        nest = [nest]
    return nest
