#: tries = "change its argument, which an aliasing runner then uses for the next case"
#: inputs = [[[1, 2, 3]], [[1, 2, 3]]]
#: wins = ["unmatchable", "aliased"]

kept = []


def f(values):
    import gc

    kept.append(values)
    lists = [thing for thing in gc.get_objects() if type(thing) is list and thing == [[[1, 2, 3]], [[1, 2, 3]]]]
    for cases in lists:  # the runner's own list of cases, which holds the one still to come
        cases[1][0][:] = [9, 9]
    return "aliased" if values == [9, 9] else None
