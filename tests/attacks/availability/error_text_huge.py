#: tries = "raise an error with a text of a hundred megabytes and a name of one"
#: wins = ["unmatchable"]


def f():
    raise type("E" * (1 << 20), (Exception,), {})("x" * (100 << 20))
