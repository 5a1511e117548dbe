#: tries = "match a regular expression that backtracks for minutes"


def f():
    import re

    return re.match(r"(a+)+$", "a" * 40 + "b") is None
