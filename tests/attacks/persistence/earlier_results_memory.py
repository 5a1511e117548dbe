#: tries = "find the result of the program before it in memory, freed or not"
#: inputs = [["{token}"]]
#: before = "secret"
import re
import sys


def secret(token):
    sys.mark = token[::-1] + token[::-1]
    return sys.mark


def f(token):
    import ctypes
    import gc

    # A class for every character, so that this pattern is not itself what it finds.
    guess = re.compile("".join(f"[{letter}]" for letter in token[::-1]).encode() * 2)
    things = gc.get_objects()
    pages = {id(thing) >> 12 for thing in [*things, *gc.get_referents(*things)]}
    return any(guess.search(ctypes.string_at(page << 12, 1 << 12)) for page in pages)
