#: tries = "make a huge text through a format width"


def f():
    return len(f"{1:>400000000}") == 4 * 10**8
