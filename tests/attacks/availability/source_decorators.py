#: tries = "be a source with a hundred thousand decorators"
#: built = true
#: wins = ["unmatchable"]


def build():
    return "@id\n" * 100_000 + "def f():\n    return 1\n"
