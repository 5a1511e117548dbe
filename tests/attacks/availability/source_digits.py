#: tries = "be a source with an integer literal of half a million digits"
#: built = true
#: wins = ["unmatchable"]


def build():
    return "def f():\n    return 0x" + "f" * 400_000 + " + " + "9" * 400_000 + "\n"
