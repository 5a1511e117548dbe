"""How far the critic is to be believed.

Only what the critic said *before* it learned from an attempt counts, as it said it: each prediction is kept
with the probability stated at the time, and measured against the outcome that came later. The scaling that
turns logits into stated probabilities is refitted from the same record, and applies to what is said next.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autotelic.statistics import auroc, brier, expected_calibration_error
from autotelic.types import Calibration

Floats = np.ndarray[Any, np.dtype[np.float64]]

WINDOW = 2000
"""Predictions remembered: a few generations, because the critic and the actor both change."""
LEAST = 200
"""Predictions without which nothing is believed: the ECE of fewer is mostly noise."""


@dataclass(frozen=True, slots=True)
class _Said:
    """One prediction: the group it belongs to, the logit, the probability stated, and the scaled reward that
    came of it.
    """

    group: int
    logit: float
    stated: float
    outcome: float


class Calibrator:
    """Scales logits to probabilities (Platt 1999) and keeps the record of how well that went.

    P(success) = sigmoid(slope * logit + shift). Slope alone is temperature scaling (Guo et al. 2017,
    arXiv:1706.04599); the shift follows an actor that improves while the critic still learns of it.
    """

    def __init__(self, *, trust: float = 0.7, window: int = WINDOW) -> None:
        self.min_ranking = trust
        self.max_ece = (1 - trust) / 3  # 0.1 at the default trust of 0.7
        self.slope, self.shift = 1.0, 0.0
        self._said: deque[_Said] = deque(maxlen=window)
        self._groups = 0

    def probability(self, logits: Sequence[float] | Floats) -> Floats:
        """The probability stated for each logit. [N] -> [N]."""
        return _sigmoid(self.slope * np.asarray(logits, dtype=np.float64) + self.shift)

    def observe(self, logits: Sequence[Sequence[float]], outcomes: Sequence[Sequence[float]]) -> None:
        """Record what was predicted, and what came of it, for groups that were not yet learned from."""
        for logit_G, outcome_G in zip(logits, outcomes, strict=True):
            self._groups += 1
            for logit, stated, outcome in zip(logit_G, self.probability(logit_G), outcome_G, strict=True):
                self._said.append(_Said(self._groups, float(logit), float(stated), float(outcome)))
        if self._said:
            logit_N = np.array([s.logit for s in self._said])
            self.slope, self.shift = platt(logit_N, np.array([s.outcome for s in self._said], np.float64))

    @property
    def quality(self) -> Calibration:
        """Over the predictions remembered."""
        stated = [s.stated for s in self._said]
        outcomes = [s.outcome for s in self._said]
        ece, ranking, within = (
            expected_calibration_error(stated, outcomes),
            auroc(stated, outcomes),
            self._siblings(),
        )
        return Calibration(
            n=len(stated),
            ece=ece,
            auroc=ranking,
            siblings=within,
            brier=brier(stated, outcomes),
            # A nan is neither above nor below, and so never trusted.
            trusted=len(stated) >= LEAST and ece <= self.max_ece and min(ranking, within) >= self.min_ranking,
        )

    def _siblings(self) -> float:
        """The share of sibling pairs with different outcomes that are ranked rightly; a tie counts half."""
        right, pairs = 0.0, 0
        groups: dict[int, list[_Said]] = {}
        for said in self._said:
            groups.setdefault(said.group, []).append(said)
        for members in groups.values():
            stated_G = np.array([said.stated for said in members])
            outcome_G = np.array([said.outcome for said in members])
            better_GG = np.subtract.outer(outcome_G, outcome_G) > 0
            gap = np.subtract.outer(stated_G, stated_G)[better_GG]
            right += float((gap > 0).sum() + (gap == 0).sum() / 2)
            pairs += gap.size
        return right / pairs if pairs else math.nan

    # ── state, for checkpoints ───────────────────────────────────────────────────────────────────────────

    def state(self) -> dict[str, Any]:
        """Plain JSON."""
        return {
            "slope": self.slope,
            "shift": self.shift,
            "groups": self._groups,
            "said": [[s.group, s.logit, s.stated, s.outcome] for s in self._said],
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """The inverse of `state`."""
        self.slope, self.shift, self._groups = state["slope"], state["shift"], state["groups"]
        self._said.clear()
        self._said.extend(_Said(*row) for row in state["said"])


def platt(logit_N: Floats, passed_N: Floats, steps: int = 25) -> tuple[float, float]:
    """(slope, shift) of the logistic regression of outcomes on logits, by Newton's method.

    A unit Gaussian prior around (1, 0) leaves the logits alone until there is evidence. The slope stays at
    0.01 or above: a critic that ranks backwards is to be found out by its AUROC, not turned around.
    """
    x_N2 = np.stack([logit_N, np.ones_like(logit_N)], axis=1)
    start = w = np.array([1.0, 0.0])
    for _ in range(steps):
        p_N = _sigmoid(x_N2 @ w)
        gradient = x_N2.T @ (p_N - passed_N) + (w - start)
        curvature = (x_N2 * (p_N * (1 - p_N))[:, None]).T @ x_N2 + np.eye(2)
        step = np.linalg.solve(curvature, gradient)
        # Far from the answer Newton's step can be too long; where it is right it is short.
        w = w - step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < 1e-10:
            break
    return max(0.01, float(w[0])), float(w[1])


def _sigmoid(x: Floats) -> Floats:
    return np.asarray(np.exp(-np.logaddexp(0.0, -x)))
