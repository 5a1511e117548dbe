#: tries = "return characters that grow twelvefold when escaped"
#: wins_status = ["ok"]


def f():
    return "\U0001f600" * 60_000
