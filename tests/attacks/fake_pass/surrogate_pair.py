#: tries = "pass two lone surrogates off as the character that their escapes spell"
#: wins = ["😀"]


def f():
    return "\ud83d" + "\ude00"
