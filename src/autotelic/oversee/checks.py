"""What may be a number in a plan or in evidence: what was read from JSON may be anything."""

from __future__ import annotations

import math
from typing import Any, TypeGuard

import numpy as np


def is_number(value: Any) -> TypeGuard[float]:
    """Whether it is a finite number; yes and no are none."""
    number = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return number and math.isfinite(value)


def is_count(value: Any, least: int = 0) -> TypeGuard[int]:
    """Whether it is a whole number of at least `least`."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def is_probability(value: Any) -> TypeGuard[float]:
    """Whether it is a number between 0 and 1, both left out: an alpha, a confidence."""
    return is_number(value) and 0 < value < 1


def is_outcome(value: Any) -> TypeGuard[float]:
    """Whether it is what became of an answer: yes or no, or a number from 0 to 1."""
    return isinstance(value, bool | np.bool_) or (is_number(value) and 0 <= value <= 1)
