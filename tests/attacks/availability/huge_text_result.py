#: tries = "return a text larger than the output limit"
#: wins_status = ["ok"]


def f():
    return "x" * (20 << 20)
