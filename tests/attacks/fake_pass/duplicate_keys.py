#: tries = "return two keys that JSON writes alike, of which a reader keeps the last"
#: wins = [{1 = "b"}]


def f():
    return {1: "a", "1": "b"}
