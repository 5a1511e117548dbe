"""Reward for having been sure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.types import Group, Verdict


@dataclass(frozen=True, slots=True)
class Certainty:
    """The geometric mean of the probabilities of the sampled tokens, in [0, 1].

    Intuitor (Zhao et al. 2025, arXiv:2505.19590) rewards the mean divergence of each token's distribution
    from the uniform one. Of those distributions only the sampled token's share is kept, so this is what can
    be had of it.
    """

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        return [[self._of([x for t in e.turns for x in t.logprobs]) for e in g.episodes] for g in groups]

    def _of(self, logprobs: Sequence[float]) -> Verdict:
        sure = math.exp(sum(logprobs) / len(logprobs)) if logprobs else 0.0
        return Verdict(reward=sure, passed=sure >= 0.5, reason="certainty", source="certainty")
