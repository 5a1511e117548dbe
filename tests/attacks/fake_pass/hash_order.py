#: tries = "answer by hash order, which another seed would change"
#: twice = true
#: wins_status = ["ok"]


def f():
    return [hash(word) for word in ("a", "b", "c", "d")]
