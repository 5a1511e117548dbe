"""Intervals: what may be claimed of a mean over items.

Everything is exact or says how it approximates, and takes its randomness as an argument.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping, Sequence
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from autotelic.types import Cell, Score

CONFIDENCE = 0.95
RESAMPLES = 2000


def wilson(passed: int, n: int, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """The score interval of a share of `n` independent items (Wilson 1927). (0, 1) for no items.

    Unlike the normal approximation it stays inside [0, 1] and has a width at 0 and at 1.
    """
    if not 0 <= passed <= n:
        raise ValueError(f"{passed} of {n} passed; expected from 0 to {n}")
    if n == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf(0.5 + confidence / 2)
    share, weight = passed / n, z * z / n
    center = (share + weight / 2) / (1 + weight)
    half = z / (1 + weight) * math.sqrt(share * (1 - share) / n + weight / (4 * n))
    # At the ends the formula gives 0 and 1 but for rounding.
    return (0.0 if passed == 0 else center - half), (1.0 if passed == n else center + half)


def share(passed: Sequence[bool], confidence: float = CONFIDENCE) -> Score:
    """The share of items passed, one outcome an item, with its Wilson interval."""
    count, n = sum(map(bool, passed)), len(passed)
    low, high = wilson(count, n, confidence)
    return Score(value=count / n if n else 0.0, low=low, high=high, n=n)


def pass_at_k(n: int, correct: int, k: int) -> float:
    """The probability that any of `k` attempts passes, from `n` attempts of which `correct` did.

    Unbiased, where 1 - (1 - correct / n)**k is too low (Chen et al. 2021, arXiv:2107.03374, equation 1).
    """
    if not (0 <= correct <= n and 1 <= k <= n):
        raise ValueError(
            f"pass@{k} from {correct} of {n} attempts; expected 0 <= correct <= n and 1 <= k <= n"
        )
    if n - correct < k:
        return 1.0
    return 1.0 - math.comb(n - correct, k) / math.comb(n, k)


def mean_score(
    values: ArrayLike,
    rng: np.random.Generator,
    clusters: Sequence[Hashable] | None = None,
    confidence: float = CONFIDENCE,
) -> Score:
    """The mean over items of values in [0, 1], such as each item's pass@k, with a bootstrap interval.

    Items are resampled with replacement (percentile method); whole `clusters` are when some items depend on
    each other, such as those from one program. Values that are all the same would give an interval without
    width: it is Wilson's then, at the number of clusters.
    """
    value_N = np.asarray(values, dtype=np.float64)
    n = len(value_N)
    if n == 0:
        return Score(value=0.0, low=0.0, high=1.0, n=0)
    if value_N.min() < 0 or value_N.max() > 1:
        raise ValueError(f"values from {value_N.min():g} to {value_N.max():g}; expected them in [0, 1]")
    labels = {label: i for i, label in enumerate(dict.fromkeys(range(n) if clusters is None else clusters))}
    index_N = np.array([labels[label] for label in (range(n) if clusters is None else clusters)])
    if len(index_N) != n:
        raise ValueError(f"{len(index_N)} clusters for {n} values; expected one each")
    mean = float(value_N.mean())
    if np.ptp(value_N) == 0:
        low, high = _wilson_of_share(mean, len(labels), confidence)
        return Score(value=mean, low=low, high=high, n=n)
    sum_C = np.bincount(index_N, weights=value_N)
    size_C = np.bincount(index_N)
    draw_RC = rng.integers(len(labels), size=(RESAMPLES, len(labels)))
    mean_R = sum_C[draw_RC].sum(axis=1) / size_C[draw_RC].sum(axis=1)
    low, high = np.quantile(mean_R, [0.5 - confidence / 2, 0.5 + confidence / 2])
    return Score(value=mean, low=float(low), high=float(high), n=n)


def mean_of_cells(cells: Mapping[Cell, Sequence[float]], rng: np.random.Generator) -> Score:
    """The mean of the cells' means, with a bootstrap interval that resamples items within each cell.

    Values that do not vary within any cell would give an interval without width: it is Wilson's then, at the
    number of all items. `n` is that number.
    """
    if not cells:
        return Score(value=0.0, low=0.0, high=1.0, n=0)
    n = sum(map(len, cells.values()))
    mean = float(np.mean([np.mean(values) for values in cells.values()]))
    drawn_R = np.zeros(RESAMPLES)
    for values in cells.values():
        value_N = np.asarray(values, dtype=np.float64)
        drawn_R += value_N[rng.integers(len(value_N), size=(RESAMPLES, len(value_N)))].mean(axis=1)
    if all(np.ptp(values) == 0 for values in cells.values()):
        low, high = _wilson_of_share(mean, n, CONFIDENCE)
    else:
        low, high = np.quantile(drawn_R / len(cells), [0.5 - CONFIDENCE / 2, 0.5 + CONFIDENCE / 2])
    return Score(value=mean, low=float(low), high=float(high), n=n)


def _wilson_of_share(mean: float, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's interval where the mean lies between two counts: the wider of both sides."""
    below, above = math.floor(mean * n), math.ceil(mean * n)
    return wilson(below, n, confidence)[0], wilson(min(n, above), n, confidence)[1]
