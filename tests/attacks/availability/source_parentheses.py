#: tries = "be a source of a hundred thousand open parentheses"
#: built = true
#: wins_status = ["ok"]


def build():
    return "def f():\n    return " + "(" * 100_000 + "1" + ")" * 100_000 + "\n"
