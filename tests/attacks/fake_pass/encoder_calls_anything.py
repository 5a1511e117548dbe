#: tries = "learn whether encoding a result calls any method of its class"
#: inputs = [["bait"], ["report"]]
#: wins = ["unmatchable", true]

calls = []


def spy(name):
    def method(self, *arguments):
        calls.append(name)
        return getattr(list, name)(self, *arguments)

    return method


names = ["__iter__", "__len__", "__getitem__", "__eq__", "__repr__", "__str__", "__reduce_ex__", "__getattribute__"]
Spy = type("Spy", (list,), {name: spy(name) for name in names})


def f(step):
    return Spy([1]) if step == "bait" else bool(calls)
