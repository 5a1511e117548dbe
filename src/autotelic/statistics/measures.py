"""How far predictions are to be believed: calibration and ranking, of outcomes that are yes or no or real in
[0, 1].
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray


def expected_calibration_error(predicted: ArrayLike, passed: ArrayLike, bins: int = 10) -> float:
    """The mean distance of predicted from observed shares, over equal bins of [0, 1], weighted by their size.

    Naeini et al. 2015. nan for no predictions, which no threshold accepts.
    """
    p_N, y_N = _predictions(predicted, passed)
    if not len(p_N):
        return math.nan
    bin_N = np.minimum((p_N * bins).astype(np.int64), bins - 1)  # the last bin has 1.0 in it
    gap_B = np.bincount(bin_N, weights=p_N - y_N, minlength=bins)
    return float(np.abs(gap_B).sum() / len(p_N))


def brier(predicted: ArrayLike, passed: ArrayLike) -> float:
    """The mean squared error of predicted probabilities (Brier 1950). nan for no predictions."""
    p_N, y_N = _predictions(predicted, passed)
    return float(np.mean((p_N - y_N) ** 2)) if len(p_N) else math.nan


def auroc(scores: ArrayLike, outcomes: ArrayLike) -> float:
    """The share of pairs with different outcomes of which the better one scores higher; a tie counts half.

    For yes and no it is the area under the ROC curve (Mann and Whitney 1947). nan where all outcomes are the
    same: there is nothing to rank.
    """
    score_N = np.asarray(scores, dtype=np.float64)
    y_N = np.asarray(outcomes, dtype=np.float64)
    _same_length(score_N, y_N)
    values = np.unique(y_N)
    if len(values) < 2:
        return math.nan
    right, pairs = 0.0, 0.0
    _, place_N, size_G = np.unique(score_N, return_inverse=True, return_counts=True)
    # Of each outcome against all that are worse: below it in score, and tied with it.
    worse_G = np.zeros(len(size_G))
    for value in values:
        count_G = np.bincount(place_N[y_N == value], minlength=len(size_G))
        below_G = np.cumsum(worse_G) - worse_G
        right += float((count_G * (below_G + worse_G / 2)).sum())
        pairs += float(count_G.sum() * worse_G.sum())
        worse_G = worse_G + count_G
    return right / pairs


def _predictions(predicted: ArrayLike, passed: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    p_N = np.asarray(predicted, dtype=np.float64)
    y_N = np.asarray(passed, dtype=np.float64)
    _same_length(p_N, y_N)
    if len(p_N) and not (p_N.min() >= 0 and p_N.max() <= 1):  # so that nan fails too
        raise ValueError(f"predictions from {p_N.min():g} to {p_N.max():g}; expected probabilities")
    return p_N, y_N


def _same_length(one: NDArray[np.float64], other: NDArray[np.float64]) -> None:
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(f"shapes {one.shape} and {other.shape}; expected one outcome a prediction")
