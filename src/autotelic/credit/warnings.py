"""What keeps reward from teaching, said in one line with what to change."""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.messages import Dropped
from autotelic.types import Group

GENERATIONS = 5
"""Generations in a row without a group that teaches, after which that is said, and again after as many."""
CERTAIN = -1e-6
"""The mean log-probability above which every token was certain: rounding of float32."""


def warnings(attempts: Sequence[Group], kept: int, flat_before: int) -> list[Dropped]:
    """Lines about a generation of which `kept` groups teach, after `flat_before` generations of which none
    did.
    """
    if kept or not attempts:
        return []
    found: list[Dropped] = []
    if flat_before % GENERATIONS == 0 and _certain(attempts):
        why = (
            "the entropy of every attempt is 0, so all samples of a task are the same; raise roles.temperature, "
            "or start again from an earlier champion"
        )
        found.append(Dropped(what="exploration", n=len(attempts), why=why))
    if (flat_before + 1) % GENERATIONS == 0:
        why = (
            f"no group had variance for {flat_before + 1} generations, so reward taught nothing; "
            f"{_change(attempts)}"
        )
        found.append(Dropped(what="policy gradient", n=len(attempts), why=why))
    return found


def _certain(attempts: Sequence[Group]) -> bool:
    logprobs = [x for g in attempts for e in g.episodes for t in e.turns for x in t.logprobs]
    return bool(logprobs) and sum(logprobs) / len(logprobs) > CERTAIN


def _change(attempts: Sequence[Group]) -> str:
    """What to change, by how the attempts fared."""
    passed = [bool(v.passed) for group in attempts for v in group.verdicts if v.passed is not None]
    if passed and not any(passed):
        return "no attempt passed: lower domain.levels, or teach the form of answers first (learn.imitation)"
    if passed and all(passed):
        return "every attempt passed: raise domain.levels"
    return "each task is always passed or never: raise curriculum.group_size or roles.temperature"
