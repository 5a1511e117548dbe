"""Candidates whose true gain is known, for `bench.gate`: what they and the champion answer, as the bets of a gate.

An item has a difficulty, the champion's chance of passing it; `bench.gate` says how a candidate's chances follow.
"""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray

from autotelic.oversee import certify
from autotelic.statistics import compare
from autotelic.streams import stream

Floats = NDArray[np.float64]
LEVEL = 0.05
"""That of the paired gate."""
FAMILY = 3
"""Items of one program, where items depend on each other."""


def difficulty(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.beta(0.4, 0.3, shape)


@cache
def shift_for(gain: float) -> float:
    """How far all chances must move, cut to [0, 1], so that their mean moves by `gain`."""
    p_N = difficulty(stream(0, "bench.gate", "shift"), (2_000_000,))
    low, high = -1.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        moved = float((np.clip(p_N + middle, 0, 1) - p_N).mean())
        low, high = (middle, high) if moved < gain else (low, middle)
    return low


def chances(
    rng: np.random.Generator, shape: tuple[int, int], shift: float, mixed: float, family: bool
) -> tuple[Floats, Floats]:
    """The chances of champion and candidate on each item, [R, N] each."""
    runs, items = shape
    columns = -(-items // FAMILY) if family else items
    champion_RN = difficulty(rng, (runs, columns))
    fresh_RN = np.where(rng.random((runs, columns)) < mixed, difficulty(rng, (runs, columns)), champion_RN)
    candidate_RN = np.clip(fresh_RN + shift, 0, 1)
    if family:
        champion_RN, candidate_RN = (
            np.repeat(x, FAMILY, axis=1)[:, :items] for x in (champion_RN, candidate_RN)
        )
    return champion_RN, candidate_RN


def answers(rng: np.random.Generator, chance_RN: Floats, count: int) -> Floats:
    """The share of `count` answers that pass."""
    return rng.binomial(count, chance_RN) / count


def programs(difference_RN: Floats, family: bool) -> Floats:
    """One bet a program: [R, N] to [R, P]."""
    if not family:
        return difference_RN
    runs, items = difference_RN.shape
    whole = items - items % FAMILY
    means = difference_RN[:, :whole].reshape(runs, -1, FAMILY).mean(axis=2)
    return (
        means
        if whole == items
        else np.concatenate([means, difference_RN[:, whole:].mean(axis=1, keepdims=True)], axis=1)
    )


@cache
def promoted(wins: int, losses: int) -> bool:
    """What the paired gate says of so many wins and losses; ties do not count."""
    both = (1.0,) * wins + (0.0,) * losses
    return compare([1 - x for x in both], both, LEVEL).verdict != "worse"


def paired_gate(difference_RN: Floats) -> NDArray[np.bool_]:
    """The paired gate on one answer an item."""
    wins_R, losses_R = (difference_RN > 0).sum(axis=1), (difference_RN < 0).sum(axis=1)
    return np.array([promoted(int(w), int(lost)) for w, lost in zip(wins_R, losses_R, strict=True)])


def bets(
    rng: np.random.Generator,
    shape: tuple[int, int],
    shift: float,
    mixed: float,
    count: int,
    family: bool,
    apart: bool = False,
) -> Floats:
    """The bets of one round of fresh items, [R, P]."""
    champion_RN, candidate_RN = chances(rng, shape, shift, mixed, family)
    difference_RN = answers(rng, candidate_RN, count) - answers(rng, champion_RN, count)
    return programs(difference_RN, family and not apart)


def evidence_of(
    rng: np.random.Generator, chance_N: Floats, champion: float, candidate: float, count: int, name: str
) -> list[certify.PairedItem]:
    """A round of items, each of a program of its own, answered by weights of these mean skills."""
    old, new = (
        (rng.random((len(chance_N), count)) < moved(chance_N, mean)[:, None]).astype(float).tolist()
        for mean in (champion, candidate)
    )
    return [
        certify.PairedItem(item=f"{name}.{n}", program=f"{name}.{n}", champion=tuple(a), candidate=tuple(b))
        for n, (a, b) in enumerate(zip(old, new, strict=True))
    ]


def moved(chance_N: Floats, mean: float) -> Floats:
    """Chances in the order of `chance_N` whose mean over all items is `mean` (by a power of them)."""
    return np.asarray(chance_N ** _power(round(mean, 6)), dtype=np.float64)


@cache
def _power(mean: float) -> float:
    p_N = difficulty(stream(0, "bench.gate", "power"), (200_000,))
    low, high = -12.0, 12.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if float((p_N ** np.exp2(middle)).mean()) > mean else (low, middle)
    return float(np.exp2(low))
