"""Units as exponents of kg, m, s, A, K and mol, and the unit of a formula."""

from __future__ import annotations

import re
from collections.abc import Mapping
from fractions import Fraction

from autotelic.domains.expressions import Formula
from autotelic.errors import DomainError

Unit = tuple[Fraction, ...]
NAMES = ("kg", "m", "s", "A", "K", "mol")
NONE: Unit = (Fraction(0),) * len(NAMES)
DERIVED: Mapping[str, tuple[int, ...]] = {
    "N": (1, 1, -2, 0, 0, 0),
    "J": (1, 2, -2, 0, 0, 0),
    "W": (1, 2, -3, 0, 0, 0),
    "Pa": (1, -1, -2, 0, 0, 0),
    "Hz": (0, 0, -1, 0, 0, 0),
    "C": (0, 0, 1, 1, 0, 0),
    "V": (1, 2, -3, -1, 0, 0),
    "ohm": (1, 2, -3, -2, 0, 0),
    "F": (-1, -2, 4, 2, 0, 0),
    "H": (1, 2, -2, -2, 0, 0),
    "T": (1, 0, -2, -1, 0, 0),
    "Wb": (1, 2, -2, -1, 0, 0),
}
"""Derived units of the SI by their exponents. Angles and numbers have the unit 1."""


class UnitError(ValueError):
    """A formula that adds what has different units, or takes the exponential of what has one."""


def unit(text: str) -> Unit:
    """The exponents of a unit as text. Raises DomainError for a name that is none.

    >>> unit("kg*m/s^2") == unit("N")
    True
    """
    total = list(NONE)
    parts = re.findall(r"([*/]?)\s*([A-Za-z]+|1)(?:\^(-?\d+(?:/\d+)?))?\s*", text)
    if "".join("".join(part) for part in parts) != re.sub(r"[\s^]", "", text) or not parts:
        raise DomainError(f"{text[:40]!r} is no unit", "write products such as kg*m/s^2, and 1 for a number")
    for sign, name, power in parts:
        if name == "1":
            continue
        if name not in DERIVED and name not in NAMES:
            known = ", ".join([*NAMES, *DERIVED])
            raise DomainError(f"there is no unit {name[:20]!r}", f"use {known}")
        own = DERIVED.get(name) or tuple(int(name == base) for base in NAMES)
        times = Fraction(power or 1) * (-1 if sign == "/" else 1)
        total = [old + times * new for old, new in zip(total, own, strict=True)]
    return tuple(total)


def spelled(found: Unit) -> str:
    """A unit as text, in base units: what `unit` reads."""
    parts = [
        name if power == 1 else f"{name}^{power}" for name, power in zip(NAMES, found, strict=True) if power
    ]
    return "*".join(parts) or "1"


def unit_of(formula: Formula, units: Mapping[str, Unit]) -> Unit:
    """The unit of a formula's value. Raises UnitError where its parts do not go together."""
    head, parts = formula.head, formula.parts
    if head == "number":
        return NONE
    if not parts:
        return units[head]
    given = [unit_of(part, units) for part in parts]
    if head in ("*", "/"):
        sign = 1 if head == "*" else -1
        return tuple(one + sign * two for one, two in zip(*given, strict=True))
    if head == "^":
        return _power(given[0], given[1], parts[1])
    if head == "sqrt":
        return tuple(power / 2 for power in given[0])
    if head == "abs":
        return given[0]
    if head in ("+", "-", "min", "max"):
        return _same(given[0], given[1], parts[0], parts[1])
    if head == "if":
        _same(given[0], given[1], parts[0], parts[1])
        return _same(given[2], given[3], parts[2], parts[3])
    if given[0] != NONE:
        raise UnitError(f"{head} of what has the unit {spelled(given[0])}")
    return NONE


def _power(root: Unit, exponent: Unit, part: Formula) -> Unit:
    if exponent != NONE:
        raise UnitError(f"a power that has the unit {spelled(exponent)}")
    if root == NONE:
        return NONE
    if part.names:
        raise UnitError("a power of what has a unit must be a number")
    value = float(part({}))
    if not abs(value) < 100:
        raise UnitError("a power out of range")
    times = Fraction(value).limit_denominator(12)
    return tuple(power * times for power in root)


def _same(one: Unit, two: Unit, left: Formula, right: Formula) -> Unit:
    """The unit of both; a zero has any."""
    if left.head == "number" and left.value == 0:
        return two
    if one != two and not (right.head == "number" and right.value == 0):
        raise UnitError(f"{spelled(one)} with {spelled(two)}")
    return one
