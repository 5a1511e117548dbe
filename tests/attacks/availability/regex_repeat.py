#: tries = "compile a regular expression of absurd size"
#: wins = ["unmatchable"]


def f():
    import re

    deep = "((((((a{0,99}){0,99}){0,99}){0,99}){0,99})){0,99}"
    return re.compile(deep * 200 + "(?:x|y|z)*" * 5000).match("b" * 99) is not None
