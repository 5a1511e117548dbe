#: tries = "be a source of nested lambdas, comprehensions and calls, each below the parser's limit"
#: built = true
#: wins = ["unmatchable"]


def build():
    nest = "1"
    for depth in range(60):
        nest = f"[(lambda a{depth}={nest}: a{depth})() for b{depth} in (0,)]" if depth % 2 else f"f'{{({nest})}}'" if depth < 2 else f"({nest},)"
    return f"def f():\n    return {nest}\n" * 200
