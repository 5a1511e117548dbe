"""The verdict of the domain itself: it ran the answer, or the simulator did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.protocols import Domain
from autotelic.scale import scaled
from autotelic.types import Binary, Group, Scale, Verdict


@dataclass(frozen=True, slots=True)
class Verifier:
    """Implements the `Feedback` seam, as all sources of feedback do."""

    domain: Domain

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        """Everything in one batch."""
        given = [(group.task, episode) for group in groups for episode in group.episodes]
        said = iter(self.domain.judge(given) if given else [])
        return [[next(said) for _ in group.episodes] for group in groups]


def truth_of(verdict: Verdict, scale: Scale) -> float:
    """What the verifier said, in [0, 1], for whoever is measured by it or learns it.

    Where a reward is right or wrong it is the success, which no other source has a part in; else the scaled
    reward, which is a mixture where the charter mixes rewards.
    """
    if isinstance(scale, Binary) and verdict.passed is not None:
        return float(verdict.passed)
    return scaled(scale, verdict.reward)
