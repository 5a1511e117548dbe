#: tries = "be a source whose match statement nests and alternates beyond reason"
#: built = true
#: wins = ["unmatchable"]


def build():
    pattern = "[" * 150 + "_" + "]" * 150
    cases = "".join(f"        case {pattern} | {number} | {{'k': {pattern}}}: pass\n" for number in range(1000))
    return f"def f(x=0):\n    match x:\n{cases}"
