"""The thresholds at which oversight raises the brake by itself, and how a charter changes them.

    [oversight]
    thresholds = ["kl = 2", "drift = 0.05", "length = off"]

What is not named keeps its default. `off` looks at the measure and raises nothing.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

DEFAULTS: Mapping[str, float] = {
    "kl": 5.0,
    "entropy": 0.01,
    "length": 0.95,
    "duplicates": 0.95,
    "validity": 0.05,
    "calibration_error": 0.2,
    "regression": 0.01,
    "drift": 0.08,
    "sealed_items": 20_000,
}
"""`kl` and `entropy` in nats a token; shares of answers cut off, of known proposals, of proposals that are tasks;
the critic's ECE while it is in use; the chance of a false alarm about exams in a run; the most that the proxy may say
above the truth (`delta0`); how many sealed items may be opened. KL and entropy lie beyond all that ten runs of ours
showed: a KL of at most 4.3 (median of a generation), an entropy of at least 0.16.
"""
OFF = "off"


def read_thresholds(lines: Iterable[str]) -> dict[str, float | None]:
    """All thresholds, with those that `lines` give in place of the defaults; None where one is off.

    Raises ValueError, with cause and fix on one line, for a line that is none.
    """
    found: dict[str, float | None] = dict(DEFAULTS)
    named: set[str] = set()
    for line in lines:
        name, equals, value = (part.strip() for part in line.partition("="))
        if not equals or name not in DEFAULTS:
            known = ", ".join(DEFAULTS)
            raise ValueError(f"oversight.thresholds has {line!r}; write 'NAME = NUMBER', NAME one of {known}")
        if name in named:
            raise ValueError(f"oversight.thresholds names {name} twice; name it once")
        named.add(name)
        found[name] = None if value == OFF else _number(line, name, value)
    return found


def _number(line: str, name: str, text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    match name:
        case "regression":
            right, wanted = 0 < value < 1, "a chance between 0 and 1"
        case "drift":
            right, wanted = 0 <= value <= 0.2, "a number from 0 to 0.2"
        case "sealed_items":
            right, wanted = 1 <= value <= 10**9 and value == int(value), "a whole number above 0"
        case _:
            right, wanted = 0 <= value < math.inf, "a number from 0"
    if not right:
        raise ValueError(f"oversight.thresholds has {line!r}; give {wanted}, or {OFF}")
    return value
