#: tries = "walk all of its readable memory for the result of the program before it, freed or not"
#: inputs = [["{token}"]]
#: before = "secret"
#: prelude = "walk"
import re


def secret(token):
    return token[::-1] + token[::-1]


def f(token):
    guess = re.compile("".join(f"[{letter}]" for letter in token[::-1]).encode() * 2)
    return any(guess.search(ctypes.string_at(start, size)) for start, size in regions())
