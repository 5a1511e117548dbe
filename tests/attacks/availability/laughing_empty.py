#: tries = "return a small graph of empty lists that unfolds without end"
#: wins_status = ["ok"]


def f():
    layer = ()
    for _ in range(60):
        layer = [layer] * 2
    return [layer] * 2
