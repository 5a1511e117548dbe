"""What an exam may claim: intervals, paired comparisons, and how far the critic is to be believed.

Everything is exact or says how it approximates, and takes its randomness as an argument.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autotelic.types import Score

CONFIDENCE = 0.95
RESAMPLES = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sitters of the same items: `wins` are what only the candidate passed, `losses` only the champion.

    `p_worse` is the probability of so many losses, or more, if neither were better; `p_better` that of so
    many wins. `verdict` is `alike` when the items cannot tell them apart, which does not prove them equal.
    """

    wins: int
    losses: int
    p_worse: float
    p_better: float
    verdict: Literal["worse", "alike", "better"]


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


def compare(champion: Sequence[bool], candidate: Sequence[bool], level: float) -> Comparison:
    """Is the candidate worse than the champion on the same items? McNemar's exact test, one-sided both ways.

    Only items that one passed and the other did not say anything; if neither were better each would fall
    either way with probability 1/2. The verdict is `worse` or `better` where p is at most `level`.
    """
    if len(champion) != len(candidate):
        raise ValueError(f"{len(champion)} and {len(candidate)} outcomes; a paired test needs the same items")
    wins = sum(bool(new) and not old for old, new in zip(champion, candidate, strict=True))
    losses = sum(bool(old) and not new for old, new in zip(champion, candidate, strict=True))
    p_worse, p_better = _tail(losses, wins + losses), _tail(wins, wins + losses)
    verdict: Literal["worse", "alike", "better"] = "alike"
    if p_worse <= level:
        verdict = "worse"
    elif p_better <= level:
        verdict = "better"
    return Comparison(wins=wins, losses=losses, p_worse=p_worse, p_better=p_better, verdict=verdict)


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


def auroc(scores: ArrayLike, passed: ArrayLike) -> float:
    """The probability that a passed attempt scores above a failed one; a tie counts half.

    From the ranks (Mann and Whitney 1947). nan where all passed or all failed: there is nothing to rank.
    """
    score_N = np.asarray(scores, dtype=np.float64)
    y_N = np.asarray(passed, dtype=bool)
    _same_length(score_N, y_N)
    good, bad = int(y_N.sum()), int((~y_N).sum())
    if not (good and bad):
        return math.nan
    _, group_N, size_G = np.unique(score_N, return_inverse=True, return_counts=True)
    rank_G = np.cumsum(size_G) - (size_G - 1) / 2  # the mean rank of equal scores, from 1
    return float((rank_G[group_N][y_N].sum() - good * (good + 1) / 2) / (good * bad))


def _tail(k: int, n: int) -> float:
    """P(X >= k) for X of n fair coins, in integers and so exact."""
    return sum(math.comb(n, i) for i in range(k, n + 1)) / (1 << n)


def _wilson_of_share(mean: float, n: int, confidence: float) -> tuple[float, float]:
    """Wilson's interval where the mean lies between two counts: the wider of both sides."""
    below, above = math.floor(mean * n), math.ceil(mean * n)
    return wilson(below, n, confidence)[0], wilson(above, n, confidence)[1]


def _predictions(predicted: ArrayLike, passed: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    p_N = np.asarray(predicted, dtype=np.float64)
    y_N = np.asarray(passed, dtype=np.float64)
    _same_length(p_N, y_N)
    if len(p_N) and not (p_N.min() >= 0 and p_N.max() <= 1):  # so that nan fails too
        raise ValueError(f"predictions from {p_N.min():g} to {p_N.max():g}; expected probabilities")
    return p_N, y_N


def _same_length(one: NDArray[np.float64], other: NDArray[np.float64] | NDArray[np.bool_]) -> None:
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(f"shapes {one.shape} and {other.shape}; expected one outcome a prediction")
