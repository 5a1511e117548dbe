#: tries = "be a source of thirty megabytes"
#: built = true
#: wins_status = ["ok"]


def build():
    return "def f():\n    return 1\n" + "x = 1\n" * 5_000_000
