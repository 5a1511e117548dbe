#: tries = "raise SystemExit(0) from inside the function"
#: wins = "secret"


def f():
    raise SystemExit(0)
