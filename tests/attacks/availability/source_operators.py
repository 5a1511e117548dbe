#: tries = "be a source whose expression is a million terms long"
#: built = true
#: wins = ["unmatchable"]


def build():
    return "def f():\n    return " + "+".join(["1"] * 400_000) + "\n"
