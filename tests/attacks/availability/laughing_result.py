#: tries = "return a small graph that unfolds to a trillion items"
#: wins_status = ["ok"]


def f():
    layer = ["ha"]
    for _ in range(40):
        layer = [layer, layer]
    return layer
