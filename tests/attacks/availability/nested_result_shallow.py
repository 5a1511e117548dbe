#: tries = "return nesting just deep enough for the reader's recursion limit"
#: inputs = [[200], [900], [1100], [3000], [10000]]
#: wins = ["unmatchable"]


def f(depth):
    nest = []
    for _ in range(depth):
        nest = {"a": nest} if depth % 200 else [nest]
    return nest
