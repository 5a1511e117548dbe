#: tries = "learn whether reporting an error calls the error's own __str__"
#: inputs = [["bait"], ["report"]]
#: wins = ["unmatchable", true]

calls = []


class Loud(Exception):
    def __str__(self):
        calls.append(1)
        return "right"

    __repr__ = __str__


def f(step):
    if step == "bait":
        raise Loud
    return bool(calls)
