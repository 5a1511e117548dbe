#: tries = "compare texts that take it for ever"
#: wins = ["unmatchable"]
import difflib


def f():
    first, second = "ab" * 20000, "ba" * 20000
    return difflib.SequenceMatcher(None, first, second, autojunk=False).ratio() > 0
