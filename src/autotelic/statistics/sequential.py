"""Tests that may be looked at after every observation: e-processes, by betting.

A bettor starts with a capital of 1 and bets on each observation that the mean lies below what the null
hypothesis says. While the null is true no way of betting gains on average, so the capital ever reaches
1 / alpha with a probability of at most alpha (Ville 1939; Waudby-Smith and Ramdas 2023, arXiv:2010.09686).
However often one looks, that stays true.

Observations that come together may have different means; only their average must keep the null. The product
of their factors is then at most the power of the average factor (the inequality of the means), hence at most 1.
They must be independent given what came before.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

Floats = np.ndarray[Any, np.dtype[np.float64]]

BETS = (0.1, 0.3, 0.6, 0.9)
"""Shares of the capital that are bet, each by a bettor of its own: small bets find small falls."""
LONG = 8
"""Looks that are taken together for a mark that lies close below the mean, where the mean keeps still."""


def growth(x: ArrayLike, least: float, most: float = 1.0) -> list[float]:
    """What the logarithm of each bettor's capital gains by observations of at most `most`, betting that their
    mean is below `least`.
    """
    x_N = np.asarray(x, dtype=np.float64).ravel()
    return [float(np.log1p(bet * (least - x_N) / (most - least)).sum()) for bet in BETS]


def _checked(x: ArrayLike) -> Floats:
    x_N = np.asarray(x, dtype=np.float64)
    if x_N.size and not (x_N.min() >= 0 and x_N.max() <= 1):
        raise ValueError(f"observations from {x_N.min():g} to {x_N.max():g}; expected them in [0, 1]")
    return x_N


def lower_bound(mean: float, n: int, alpha: float) -> float:
    """What the true average of `n` independent observations in [0, 1] is at least, but with probability
    `alpha`.

    Chernoff's bound in its sharpest form (Hoeffding 1963, theorem 1), which holds for different means.
    """
    low, high = 0.0, mean
    for _ in range(60):
        middle = (low + high) / 2
        if n * _divergence(mean, middle) > math.log(1 / alpha):
            low = middle
        else:
            high = middle
    return low


def _divergence(p: float, q: float) -> float:
    """KL between yes and no with probabilities p and q, in nats."""

    def part(a: float, b: float) -> float:
        return 0.0 if a == 0 else math.inf if b == 0 else a * math.log(a / b)

    return part(p, q) + part(1 - p, 1 - q)


def _prior(k: int) -> float:
    """The share of the capital that is held for the k-th bettor, from 1; all of them sum to 1."""
    return 1 / (k * (k + 1))


@dataclass(slots=True)
class MeanFell:
    """Whether the mean of what is observed in [0, 1] has come to lie below `least`, since whenever.

    One bettor a bet begins with each time of looking, with a share of the capital (Shin, Ramdas and Rinaldo
    2023, arXiv:2203.03532, mixed by a prior). `evidence` reaches 1 / alpha with probability at most alpha if
    the mean never fell.
    """

    least: float
    looks: int = 0
    capital: list[float] = field(default_factory=lambda: [-math.inf] * len(BETS))

    def look(self, x: ArrayLike) -> None:
        """Take in what was observed together."""
        self.take(_checked(x))

    def take(self, x: ArrayLike, most: float = 1.0) -> None:
        """`look`, at observations of at most `most` with the mean of what was observed."""
        self.looks += 1
        begun = math.log(_prior(self.looks))
        gained = growth(x, self.least, most)
        self.capital = [float(np.logaddexp(c, begun)) + g for c, g in zip(self.capital, gained, strict=True)]

    @property
    def evidence(self) -> float:
        """The capital, against 1 at the start."""
        return float(np.exp(np.minimum(self.capital, 700)).mean()) + 1 / (self.looks + 1)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `restored` is the inverse."""
        return {"least": self.least, "looks": self.looks, "capital": [_finite(c) for c in self.capital]}

    @classmethod
    def restored(cls, values: Mapping[str, Any]) -> MeanFell:
        """The inverse of `to_json`."""
        capital = [-math.inf if c is None else float(c) for c in values["capital"]]
        return cls(least=values["least"], looks=values["looks"], capital=capital)


@dataclass(slots=True)
class FellFromBest:
    """Whether the mean of what is observed in [0, 1] has fallen more than `margin` below what it has been.

    Whenever the lower bound of the mean of the last `window` looks, or of the last `LONG`, is the highest so far,
    it becomes a mark, below which a fall is tested from then on. Half of `alpha` is for marks that lie too high,
    half for the tests: with probability at most `alpha` the evidence ever reaches 2 / alpha where the mean never
    falls so far. `since` counts looks since the best.

    A look is at the same tasks each time. What a task's mean was lately is taken from its observations and its
    average given back, which leaves the mean as it is and most of the differences between tasks out of the
    noise (a control variate, known before the look, so that the bets stay fair).
    """

    alpha: float
    margin: float
    window: int
    recent: list[tuple[float, int]] = field(default_factory=list)
    best: float = 0.0
    since: int = 0
    marks: list[MeanFell] = field(default_factory=list)
    tasks: list[list[float]] = field(default_factory=list)

    def look(self, x: ArrayLike) -> None:
        """Take in what was observed together: [T] tasks, or [T, G] attempts at each."""
        x_TG = _checked(x)
        x_TG = x_TG.reshape(len(x_TG), -1)
        control_T = np.mean(self.tasks, axis=0) if self.tasks else np.zeros(len(x_TG))
        level = float(control_T.mean())
        rest_TG = x_TG - control_T[:, None] + level
        for mark in self.marks:
            mark.take(rest_TG, 1.0 - float(control_T.min()) + level)
        self.tasks = [*self.tasks, x_TG.mean(axis=1).tolist()][-self.window :]
        self.recent = [*self.recent, (float(x_TG.mean()), x_TG.size)][-LONG:]
        self.since += 1
        if len(self.recent) >= self.window and self.now > self.best:
            self.best, self.since = self.now, 0
        for looks in (self.window, LONG):
            if len(self.recent) >= looks:
                self._mark(self.recent[-looks:])

    @property
    def now(self) -> float:
        """The mean of the last `window` looks; 0 before the first."""
        return _pooled(self.recent[-self.window :])[0]

    def _mark(self, looks: Sequence[tuple[float, int]]) -> None:
        mean, n = _pooled(looks)
        least = lower_bound(mean, n, self.alpha / 2 * _prior(len(self.marks) + 1)) - self.margin
        if least > max((mark.least for mark in self.marks), default=0.0):
            self.marks.append(MeanFell(least=least))

    @property
    def evidence(self) -> float:
        """The capital, against 1 at the start."""
        held = sum(_prior(k) * mark.evidence for k, mark in enumerate(self.marks, start=1))
        return held + 1 / (len(self.marks) + 1)

    def to_json(self) -> dict[str, Any]:
        """Plain JSON; `restore` is the inverse."""
        return {
            "recent": self.recent,
            "best": self.best,
            "since": self.since,
            "marks": [mark.to_json() for mark in self.marks],
            "tasks": self.tasks,
        }

    def restore(self, values: Mapping[str, Any]) -> None:
        """Go on from what `to_json` gave."""
        self.recent = [(float(mean), int(n)) for mean, n in values["recent"]]
        self.best, self.since = values["best"], values["since"]
        self.marks = [MeanFell.restored(mark) for mark in values["marks"]]
        self.tasks = [[float(mean) for mean in task] for task in values["tasks"]]


def _pooled(looks: Sequence[tuple[float, int]]) -> tuple[float, int]:
    """The mean over all observations of some looks, and how many these are."""
    n = sum(count for _, count in looks)
    return sum(mean * count for mean, count in looks) / max(1, n), n


def concordance(said: Sequence[float], truth: Sequence[float]) -> float:
    """The share of pairs with different truth that are said in their order; a tie counts half, and so does
    having no such pair.
    """
    s_N, y_N = np.asarray(said, np.float64), np.asarray(truth, np.float64)
    better_NN = np.subtract.outer(y_N, y_N) > 0
    gap_P = np.subtract.outer(s_N, s_N)[better_NN]
    if not gap_P.size:
        return 0.5
    return float(((gap_P > 0).sum() + (gap_P == 0).sum() / 2) / gap_P.size)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None
