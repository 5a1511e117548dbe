"""What programs are called with: kinds of value, how large they are at each level, and the fixed probes."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TypeGuard

from autotelic.types import Json

LETTERS = "abcdef"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    """How large values are at a level.

    Inputs of the rules are lists of `shortest` to `longest` integers from 0 to `element`, integers from 0 to
    `integer`, and strings of `shortest` to `text` letters. An output may have `items` elements or characters,
    and integers of absolute value `result`.
    """

    shortest: int
    longest: int
    element: int
    integer: int
    text: int
    items: int
    result: int


_FIRST = Size(shortest=2, longest=6, element=9, integer=99, text=0, items=24, result=99_999)
_SECOND = Size(shortest=2, longest=8, element=20, integer=1_000, text=6, items=32, result=999_999)
_THIRD = Size(shortest=3, longest=10, element=50, integer=5_000, text=8, items=40, result=9_999_999)
_FOURTH = Size(shortest=3, longest=12, element=99, integer=9_999, text=10, items=48, result=99_999_999)
SIZES = {1: _FIRST, 2: _FIRST, 3: _FIRST, 4: _SECOND, 5: _SECOND, 6: _THIRD, 7: _THIRD, 8: _FOURTH}
"""The size of values by level, for the levels this domain has."""

KIND_SHARES = {
    False: (("ints", 0.75), ("int", 0.25)),
    True: (("ints", 0.55), ("int", 0.2), ("str", 0.25)),
}
"""The share of each kind of input in tasks of the rules, without and with strings."""

PROBES: dict[str, tuple[Json, ...]] = {
    "ints": (
        [3, 1, 4],
        [9, 2, 6, 5, 3],
        [7, 0],
        [1, 8, 2, 8],
        [5, 5, 6, 0, 4, 7],
        [2, 4, 8, 6],
        [0, 3, 9, 1, 7],
        [6, 9],
        [8, 7, 5, 3, 1, 2],
        [4, 4, 1],
        [12, 7, 20, 3, 15, 9, 18],
        [41, 6, 88, 23, 0, 57, 34, 19, 72],
    ),
    "int": (0, 3, 7, 10, 18, 25, 41, 56, 72, 99, 384, 2075),
    "str": (
        "abc",
        "fade",
        "ca",
        "bbae",
        "edcab",
        "faced",
        "ddfa",
        "beef",
        "acbdfe",
        "eb",
        "cabbage",
        "decadefabe",
    ),
}
"""Twelve fixed inputs of each kind: a program's outputs on them are what it does, whatever its text."""


def kind_of(value: Json) -> str:
    """`ints`, `int` or `str`; empty for any other value. A bool is no integer.

    >>> kind_of([1, 2]), kind_of(True), kind_of([])
    ('ints', '', 'ints')
    """
    if type(value) is int:
        return "int"
    if type(value) is str:
        return "str"
    return "ints" if is_integers(value) else ""


def is_integers(value: Json) -> TypeGuard[list[int]]:
    """Whether a value is a list of integers and of nothing else, bools included."""
    return type(value) is list and set(map(type, value)) <= {int}


def draw_kind(random: Random, level: int) -> str:
    """A kind of input, in the shares of the rules."""
    drawn = random.random()
    for kind, share in KIND_SHARES[SIZES[level].text > 0]:
        drawn -= share
        if drawn < 0:
            return kind
    return "ints"


def draw_input(random: Random, kind: str, level: int) -> Json:
    """An input of a kind, as large as the level's."""
    size = SIZES[level]
    if kind == "int":
        return _upto(random, size.integer)
    if kind == "str":
        letters = size.shortest + _upto(random, size.text - size.shortest)
        return "".join([LETTERS[_upto(random, len(LETTERS) - 1)] for _ in range(letters)])
    elements = size.shortest + _upto(random, size.longest - size.shortest)
    return [_upto(random, size.element) for _ in range(elements)]


def _upto(random: Random, most: int) -> int:
    """A number from 0 to `most`, both included; several times faster than `randint`, which inputs are most of."""
    return int(random.random() * (most + 1))


def fits(value: Json, level: int) -> bool:
    """Whether a proposed input is of a kind and size that the level has; it may be shorter, not empty."""
    size = SIZES[level]
    if type(value) is int:
        return abs(value) <= size.integer
    if type(value) is str:
        return 1 <= len(value) <= size.text and value.isascii() and value.isalpha()
    return is_integers(value) and 1 <= len(value) <= size.longest and _largest(value) <= size.element


def plain(value: Json, level: int) -> bool:
    """Whether an output is data that a solver can be asked for: integers, booleans, printable ASCII, or a
    list of them, within the level's size.
    """
    size = SIZES[level]
    if type(value) is int:
        return abs(value) <= size.result
    if type(value) is bool:
        return True
    if type(value) is str:
        return len(value) <= size.items and value.isascii() and value.isprintable()
    if is_integers(value):
        return len(value) <= size.items and _largest(value) <= size.result
    if type(value) is list:
        return len(value) <= size.items and all(type(v) is not list and plain(v, level) for v in value)
    return False


def small_enough(value: Json, kind: str) -> bool:
    """Whether an abduction's answer is an input of `kind`, and not too large to be worth running."""
    if kind_of(value) != kind:
        return False
    if type(value) is int:
        return abs(value) <= 99_999_999
    if type(value) is str:
        return len(value) <= 64 and value.isascii()
    return is_integers(value) and len(value) <= 32 and _largest(value) <= 999_999


def _largest(values: list[int]) -> int:
    return max(map(abs, values), default=0)


def input_text(level: int) -> str:
    """In words, what a program of a level may be called with."""
    size = SIZES[level]
    kinds = [
        f"a list of at most {size.longest} whole numbers from 0 to {size.element}, as in `f([3,1,4])`",
        f"a whole number from 0 to {size.integer}, as in `f(25)`",
        f'a text of at most {size.text} letters, as in `f("abc")`',
    ]
    return f"Call it with {' or '.join(kinds if size.text else kinds[:2])}."
