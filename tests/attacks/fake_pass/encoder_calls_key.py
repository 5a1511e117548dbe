#: tries = "learn whether encoding a dict hashes, compares or sorts its keys"
#: inputs = [["bait"], ["report"]]
#: wins = ["unmatchable", true]

calls = []
armed = []


def spy(name):
    def method(self, *arguments):
        if armed:
            calls.append(name)
        return getattr(str, name)(self, *arguments)

    return method


Spy = type("Spy", (str,), {name: spy(name) for name in ["__hash__", "__eq__", "__lt__", "__repr__", "__str__"]})


def f(step):
    if step == "report":
        return bool(calls)
    result = {Spy("b"): 1, Spy("a"): 2}
    armed.append(1)
    return result
