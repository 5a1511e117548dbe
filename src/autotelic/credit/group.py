"""Baselines of a group's own: each attempt against its siblings, groups apart from one another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from autotelic.credit.rewards import EPSILON, Advantages, Floats, as_tuple, rewards_of, varied
from autotelic.types import YES_NO, Group, Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupNormalised:
    """GRPO: A_i = (r_i - mean) / deviation (Shao et al. 2024, arXiv:2402.03300, section 4.1.2).

    The deviation is that of a sample (n - 1), as in TRL and verl. DAPO and GSPO have the same advantages.
    """

    scale: Scale = YES_NO

    def assign(self, groups: Sequence[Group]) -> list[Advantages]:
        """One advantage an attempt; None for a group without variance."""
        return [_or_none(rewards_of(group, self.scale), self._of) for group in groups]

    def _of(self, reward_G: Floats) -> Floats:
        centred_G: Floats = reward_G - reward_G.mean()
        scaled_G: Floats = centred_G / (reward_G.std(ddof=1) + EPSILON)
        return scaled_G


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupCentred:
    """Dr. GRPO: A_i = r_i - mean (Liu et al. 2025, arXiv:2503.20783, section 3.2).

    Dividing by a group's deviation weighs tasks that almost all or almost no attempts solve above the rest.
    """

    scale: Scale = YES_NO

    def assign(self, groups: Sequence[Group]) -> list[Advantages]:
        """One advantage an attempt; None for a group without variance."""
        return [_or_none(rewards_of(group, self.scale), lambda r_G: r_G - r_G.mean()) for group in groups]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveOneOut:
    """RLOO: A_i = r_i - mean of the others (Kool et al. 2019; Ahmadian et al. 2024, arXiv:2402.14740, eq. 6).

    The baseline is independent of the attempt, so the gradient is unbiased.
    """

    scale: Scale = YES_NO

    def assign(self, groups: Sequence[Group]) -> list[Advantages]:
        """One advantage an attempt; None for a group without variance."""
        return [_or_none(rewards_of(group, self.scale), self._of) for group in groups]

    def _of(self, reward_G: Floats) -> Floats:
        others_G: Floats = (reward_G.sum() - reward_G) / (len(reward_G) - 1)
        return reward_G - others_G


def _or_none(reward_G: Floats, advantages: Callable[[Floats], Floats]) -> Advantages:
    return as_tuple(advantages(reward_G)) if varied(reward_G) else None
