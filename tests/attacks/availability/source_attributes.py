#: tries = "be a source with a chain of a hundred thousand attributes"
#: built = true
#: wins = ["unmatchable"]


def build():
    return "def f():\n    return f" + ".x" * 100_000 + "\n"
