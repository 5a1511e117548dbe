"""What may be claimed of the mean of bounded values, at any sample size and without a variance known.

A bet on "the mean is below m" cannot be expected to win where the mean is m or above. Each m at which the bet
has won 1/alpha is ruled out (betting confidence bounds; Waudby-Smith and Ramdas 2024, arXiv:2010.09686).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

FRACTIONS = (0.05, 0.1, 0.2, 0.3, 0.45, 0.6, 0.8, 0.95)
"""Shares of the largest stake that cannot lose everything. Small ones serve many values, large ones few."""
STEPS = 50
"""Bisections: the bound is then exact to 1e-15 of the range."""


def mean_upper_bound(values: ArrayLike, alpha: float, low: float = 0.0, high: float = 1.0) -> float:
    """A number that the mean exceeds with probability at most `alpha`, from independent values in [low, high].

    `high` for no values. Raises ValueError for values out of range or not finite, and for an alpha that is
    not between 0 and 1.
    """
    value_N = np.asarray(values, dtype=np.float64)
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha:g}; expected a number between 0 and 1")
    if not low < high:
        raise ValueError(f"the range is from {low:g} to {high:g}; expected low below high")
    if value_N.ndim != 1:
        raise ValueError(f"values of shape {value_N.shape}; expected a list of numbers")
    if not len(value_N):
        return high
    if not (value_N.min() >= low and value_N.max() <= high):  # so that nan fails too
        raise ValueError(f"values from {value_N.min():g} to {value_N.max():g}; expected [{low:g}, {high:g}]")
    x_N = (value_N - low) / (high - low)
    # The wealth grows with m, so one crossing of the threshold separates what is ruled out.
    inside, outside = float(x_N.mean()), 1.0
    for _ in range(STEPS):
        middle = (inside + outside) / 2
        if _log_wealth(x_N, middle) >= -math.log(alpha):
            outside = middle
        else:
            inside = middle
    return low + (high - low) * outside


def _log_wealth(x_N: np.ndarray[tuple[int], np.dtype[np.float64]], m: float) -> float:
    """The logarithm of what bets against "the mean is m or above" have won. Values and m are in [0, 1]."""
    if m >= 1:
        return math.inf
    fraction_F = np.array(FRACTIONS)
    factor_FN = 1 + fraction_F[:, None] * ((m - x_N) / (1 - m))[None, :]
    log_F = np.log(factor_FN).sum(axis=1)
    top = float(log_F.max())
    return top + math.log(float(np.exp(log_F - top).mean()))
