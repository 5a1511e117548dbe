#: tries = "be a source whose expression nests too deep for the compiler"
#: built = true
#: wins = ["unmatchable"]


def build():
    return "def f():\n    return " + "-" * 300_000 + "1\n"
