#: tries = "return a list and a dict that contain themselves"
#: inputs = [["list"], ["dict"]]
#: wins_status = ["ok"]


def f(kind):
    ring = [] if kind == "list" else {}
    ring.append([ring]) if kind == "list" else ring.update(ring=[ring])
    return ring
