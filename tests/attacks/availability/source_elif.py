#: tries = "be a source with a chain of elifs too deep for the compiler"
#: built = true
#: wins = ["unmatchable"]


def build():
    return "def f(x=0):\n    if x: pass\n" + "    elif x: pass\n" * 20_000
