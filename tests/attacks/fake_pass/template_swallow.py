#: tries = "end the source so that a line spliced after it belongs to an untaken branch"
#: built = true
#: wins = "secret"


def build():
    return "def f():\n    return None\nif False: \\"
