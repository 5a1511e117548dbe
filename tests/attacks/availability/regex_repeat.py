#: tries = "compile a regular expression of absurd size"


def f():
    import re

    return re.compile("((((((a{0,99}){0,99}){0,99}){0,99}){0,99})){0,99}" * 20 + "(?:x|y|z)*" * 2000).match("a" * 99) is not None
