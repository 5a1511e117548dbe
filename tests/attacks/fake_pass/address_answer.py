#: tries = "answer by where objects lie in memory"
#: twice = true
#: wins_status = ["ok"]


def f():
    return [hash(word) for word in ("x", "y")] + [id(object())]
