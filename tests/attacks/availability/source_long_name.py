#: tries = "be a source with names of half a megabyte, in letters that normalise to many"
#: built = true
#: wins = ["unmatchable"]


def build():
    return "def f():\n    return 1\n" + "\ufdfa" * 100_000 + " = 1\n" + "x" * 500_000 + " = 1\n"
