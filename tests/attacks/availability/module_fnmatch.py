#: tries = "match a pattern that takes it for ever"
#: wins = ["unmatchable"]
import re


def f():
    import fnmatch

    pattern = fnmatch.translate("*a" * 30).replace("(?>", "(?:")
    return bool(re.match(pattern, "a" * 29 + "b" * 200))
