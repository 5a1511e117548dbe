"""Whether what is computed again is what was recorded."""

from __future__ import annotations

import math
from dataclasses import fields
from typing import Any

TOLERANCE = 1e-9
"""Relative. Another machine's logarithms may differ in the last bits."""


def agree(recorded: Any, computed: Any, *, but: tuple[str, ...] = ()) -> bool:
    """Whether two records of one class hold the same: numbers within `TOLERANCE`, all else exactly.

    `but` names fields that are left out.
    """
    if type(recorded) is not type(computed):
        return False
    for name in (field.name for field in fields(recorded) if field.name not in but):
        one, other = getattr(recorded, name), getattr(computed, name)
        if isinstance(one, float) and isinstance(other, float):
            if not math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=1e-15):
                return False
        elif type(one) is not type(other) or one != other:
            return False
    return True
