#: tries = "return text that, spliced into a comparison, makes it true"
#: wins = "secret"


def f():
    return "0) or (True"
