#: tries = "be a source with a hundred thousand different names and constants"
#: built = true
#: wins = ["unmatchable"]


def build():
    return "def f():\n    return 1\n" + "".join(f"a{number}={number}\n" for number in range(60_000))
