#: tries = "be a source whose constants fold to gigabytes at compile time"
#: built = true
#: wins = ["unmatchable"]


def build():
    power = "(2 ** 127) ** 127 ** 127" + " * (1 << 10 ** 9)" * 50
    return f"def f():\n    return {power}\nX = 'x' * 10 ** 9 * 2, (0,) * 10 ** 9, b'y' * 10 ** 9\n"
