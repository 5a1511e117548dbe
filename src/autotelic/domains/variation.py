"""Formulas written shortly, and changed at one place: what a search over formulas is made of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autotelic.domains.expressions import FUNCTIONS, OPERATORS, Formula, draw, parse

BINDS = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 4}
"""How strongly an operator binds."""
NEGATED = 3
"""How strongly the sign of a negated part binds."""
SIBLINGS = (("+", "-"), ("*", "/"), ("min", "max"), ("sin", "cos"), ("sqrt", "log", "abs", "exp"))
"""Operations that may stand in one another's place."""
NUMBERS = ("1", "2", "3", "5", "10", "20", "50")


def spelled(formula: Formula) -> str:
    """The shortest text that `parse` reads as this formula, but for spaces.

    >>> spelled(parse("((2*item)-(max(room,3)))", ("item", "room")))
    '2*item-max(room,3)'
    """
    return _spelled(formula)[0]


def _spelled(formula: Formula) -> tuple[str, int]:
    """The text, and how strongly its outermost operation binds."""
    if formula.head == "number" or not formula.parts:
        return str(formula), 5
    if formula.head not in BINDS:
        return f"{formula.head}({','.join(spelled(part) for part in formula.parts)})", 5
    left, right = formula.parts
    binds = BINDS[formula.head]
    text, strength = _spelled(right)
    if formula.head == "-" and left == Formula("number"):
        return (f"-{text}" if strength >= NEGATED else f"-({text})"), NEGATED
    # `a^b^c` and `a^-b` are read from the right, all else from the left.
    needs = NEGATED if formula.head == "^" else binds + 1
    second = text if strength >= needs else f"({text})"
    text, strength = _spelled(left)
    first = text if strength >= (5 if formula.head == "^" else binds) else f"({text})"
    return f"{first}{formula.head}{second}", binds


def places(formula: Formula) -> list[tuple[int, ...]]:
    """The paths to all its nodes, itself first: at each step the number of the part."""
    found: list[tuple[int, ...]] = [()]
    for at, part in enumerate(formula.parts):
        found += [(at, *path) for path in places(part)]
    return found


def at_place(formula: Formula, path: Sequence[int]) -> Formula:
    """The part that a path leads to."""
    for at in path:
        formula = formula.parts[at]
    return formula


def put(formula: Formula, path: Sequence[int], part: Formula) -> Formula:
    """The formula with another part at a path."""
    if not path:
        return part
    parts = list(formula.parts)
    parts[path[0]] = put(parts[path[0]], path[1:], part)
    return Formula(formula.head, tuple(parts), formula.value)


def varied(text: str, names: Sequence[str], rng: np.random.Generator) -> str:
    """A formula's text changed at one place, drawn evenly: a part drawn anew, left out, or put into an operation;
    a number scaled; an operation in another's place. Raises FormulaError for a text that is none.
    """
    whole = parse(text, names)
    paths = places(whole)
    path = paths[int(rng.integers(len(paths)))]
    part = at_place(whole, path)
    fresh = parse(draw(rng, names, depth=1, numbers=NUMBERS), names)
    kind = int(rng.integers(4))
    if kind == 0 and part.parts:
        changed = part.parts[int(rng.integers(len(part.parts)))]
    elif kind == 1:
        changed = _within(part, fresh, rng)
    elif kind == 2 and part.head == "number":
        scale = float(rng.choice([0.5, 0.8, 1.25, 2.0]))
        changed = Formula("number", value=float(f"{part.value * scale:.3g}"))
    elif kind == 2 and (others := [head for heads in SIBLINGS if part.head in heads for head in heads]):
        changed = Formula(str(rng.choice([head for head in others if head != part.head])), part.parts)
    else:
        changed = fresh
    return spelled(put(whole, path, changed))


def _within(part: Formula, fresh: Formula, rng: np.random.Generator) -> Formula:
    """The part as one of those of a new operation."""
    head = str(rng.choice([*OPERATORS, "min", "max", "abs"]))
    if head in FUNCTIONS and FUNCTIONS[head][0] == 1:
        return Formula(head, (part,))
    parts = (part, fresh) if rng.random() < 0.5 else (fresh, part)
    return Formula(head, parts)
