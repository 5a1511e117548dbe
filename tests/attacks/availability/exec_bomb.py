#: tries = "compile a source at run time that exhausts the compiler"
#: inputs = [["("], ["["], ["-"], ["not "], ["f'{"], ["lambda:"]]
#: wins = ["unmatchable"]


def f(piece):
    closing = {"(": ")", "[": "]", "f'{": "}'"}.get(piece, "")
    try:
        compile(piece * 100_000 + "1" + closing * 100_000, "bomb", "eval")
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        return "refused"
