"""Reward for having had few other choices."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autotelic.types import Episode, Group, Verdict

Measure = Callable[[Sequence[Episode]], Sequence[float]]
"""The mean entropy, in nats, of the distributions that an episode's tokens were sampled from."""


@dataclass(frozen=True, slots=True)
class Entropy:
    """exp(-H), with H the mean entropy of the distributions sampled from, in [0, 1]: 1 where there was no choice.

    The negative entropy as the only reward is RENT (Prabhudesai et al. 2025, arXiv:2505.22660) and EM-RL
    (Agarwal et al. 2025, arXiv:2505.15134). The exponential orders attempts as they do, and brings them to the
    scale of certainty. Certainty knows only the sampled tokens; this is of the whole distributions, so it
    takes a forward pass. An entropy of 0 is a reward of 1, and of all siblings alike nothing is learned.
    """

    measure: Measure

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        episodes = [e for group in groups for e in group.episodes]
        entropies = iter(self.measure(episodes) if episodes else [])
        return [[self._of(e, next(entropies)) for e in group.episodes] for group in groups]

    def _of(self, episode: Episode, entropy: float) -> Verdict:
        written = any(turn.completion_ids for turn in episode.turns)
        low = math.exp(-entropy) if written else 0.0
        return Verdict(reward=low, passed=low >= 0.5, reason="entropy", source="entropy")
