"""The model's own final exam: items that it proposed, kept from training, that tell its generations apart.

Such an exam is set by the model that it examines, so it proves nothing alone: it is reported beside the sealed one.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Container, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from autotelic.exam.sealed import Exam
from autotelic.types import RULES, Cell, Task

Rates = NDArray[np.float64]

DISCRIMINATION = 0.3
"""From which on an item is held to discriminate well (Ebel 1965, Measuring Educational Achievement)."""
RECENT = 6
"""Generations that count: that the first ones failed an item is no reason to ask it of the last."""
_FEWEST_TO_CORRELATE = 3
"""Generations without which no correlation is computed: any two points lie on a line."""


def freeze_own(
    pool: Sequence[Task],
    rates: Mapping[str, Sequence[float]],
    *,
    most: int,
    known: Container[str] = (),
    least: int | None = None,
    discrimination: float = DISCRIMINATION,
) -> tuple[Exam | None, dict[str, int]]:
    """The exam of up to `most` of these tasks, and how many were refused for which reason.

    `rates[id]` has the task's rate by each generation that attempted it, oldest first: the share of passes, or
    the mean scaled reward, in [0, 1]. All lists end at the same generation. `known` has the signatures of what
    was trained on. None while fewer than `least` are admitted, by default half of `most`: the pool is then to
    be tried again by later generations.

    Reasons, in the order they are looked for: `rules` (not the actor's), `repeated`, `known`, `unattempted`
    (by fewer than two generations), `unsolved` (rate 0 by all), `solved` (rate 1 by all), `indifferent` (rates
    neither differ by `discrimination` nor correlate as much with those of the other tasks), `surplus`.
    """
    refused: Counter[str] = Counter()
    admitted: list[Task] = []
    rate_IG = _aligned(pool, rates)
    met: set[str] = set()
    for task, own_G, others_G in zip(pool, rate_IG, _mean_of_others(rate_IG), strict=True):
        reason = _refusal(task, met, known, own_G[~np.isnan(own_G)])
        if not reason and not _discriminates(own_G, others_G, discrimination):
            reason = "indifferent"
        if reason:
            refused[reason] += 1
        else:
            admitted.append(task)
        met |= {task.signature, task.id}
    chosen = _spread(admitted, most)
    if len(admitted) > len(chosen):
        refused["surplus"] = len(admitted) - len(chosen)
    found = dict(sorted(refused.items()))
    if not chosen or len(chosen) < (math.ceil(most / 2) if least is None else least):
        return None, found
    return Exam(name="own", items=chosen, refused=found), found


def _refusal(task: Task, met: Collection[str], known: Container[str], rates: Rates) -> str:
    if task.lineage.author == RULES:
        return "rules"
    if task.signature in met or task.id in met:
        return "repeated"
    if task.signature in known:
        return "known"
    if len(rates) < 2:
        return "unattempted"
    if rates.max() <= 0:
        return "unsolved"
    return "solved" if rates.min() >= 1 else ""


def _discriminates(own_G: Rates, others_G: Rates, threshold: float) -> bool:
    """Whether an item tells generations apart, either way: one that later generations fail says as much.

    By the range of its rates, or by their correlation over generations with the mean of the others, the
    corrected item-total correlation (Henrysson 1963, Psychometrika 28:211).
    """
    if np.nanmax(own_G) - np.nanmin(own_G) >= threshold:
        return True
    both_G = ~np.isnan(own_G) & ~np.isnan(others_G)
    own_G, others_G = own_G[both_G], others_G[both_G]
    if len(own_G) < _FEWEST_TO_CORRELATE or np.ptp(own_G) == 0 or np.ptp(others_G) == 0:
        return False
    return bool(np.corrcoef(own_G, others_G)[0, 1] >= threshold)


def _aligned(pool: Sequence[Task], rates: Mapping[str, Sequence[float]]) -> Rates:
    """The rates by the `RECENT` newest generations, nan where a task was not attempted. -> [I, G]."""
    rate_IG = np.full((len(pool), RECENT), np.nan)
    for rate_G, task in zip(rate_IG, pool, strict=True):
        recent = rates.get(task.id, ())[-RECENT:]
        rate_G[RECENT - len(recent) :] = recent
    return rate_IG


def _mean_of_others(rate_IG: Rates) -> Rates:
    """The mean over all other items, nan where there is none. [I, G] -> [I, G]."""
    own_IG = np.nan_to_num(rate_IG)
    others_IG = (~np.isnan(rate_IG)).sum(axis=0) - ~np.isnan(rate_IG)
    return np.where(others_IG > 0, (own_IG.sum(axis=0) - own_IG) / np.maximum(others_IG, 1), np.nan)


def _spread(tasks: Sequence[Task], most: int) -> tuple[Task, ...]:
    """Up to `most` tasks, one a cell by turns, in the order of their ids, which is as good as random.

    Not those that discriminate most: that would choose for the luck of a few evaluations.
    """
    cells: dict[Cell, list[Task]] = {}
    for task in sorted(tasks, key=lambda task: task.id):
        cells.setdefault(task.cell, []).append(task)
    places = [(place, cell, task) for cell, row in cells.items() for place, task in enumerate(row)]
    places.sort(key=lambda entry: entry[:2])
    chosen = [task for _, _, task in places[: max(0, most)]]
    return tuple(sorted(chosen, key=lambda task: (task.cell, task.id)))
