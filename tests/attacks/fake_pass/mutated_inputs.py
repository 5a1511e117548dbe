#: tries = "change every list of inputs that it can reach, the parent's included"
#: inputs = [[[1, 2, 3]], [[1, 2, 3]]]
#: wins = ["unmatchable", "unmatchable"]
import gc


def f(values):
    values.append("changed")
    for thing in gc.get_objects():
        if type(thing) is list and thing[:3] == [1, 2, 3]:
            thing[:] = ["changed"]
    return "honest"
