"""Right and wrong instead of rewards: what supervised algorithms learn from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.credit.rewards import Advantages, rewards_of
from autotelic.errors import DomainError
from autotelic.types import YES_NO, Group, Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class RightAnswers:
    """RAFT: a right answer counts 1, a wrong one is left out (Dong et al. 2023, arXiv:2304.06767).

    Also called expert iteration, and ReST-EM (Singh et al. 2023, arXiv:2312.06585). Groups whose attempts all
    passed teach as well.
    """

    scale: Scale = YES_NO

    def assign(self, groups: Sequence[Group]) -> list[Advantages]:
        """1 for each right answer and 0 for each wrong one; None where none is right."""
        found: list[Advantages] = []
        for group in groups:
            passed = passed_of(group, self.scale)
            found.append(tuple(float(p) for p in passed) if any(passed) else None)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """NFT: (1 - p) for a right answer and -p for a wrong one, with p the share of siblings that passed
    (Chen et al. 2025, arXiv:2505.18116).

    This is the weight 1 - p of a right answer, from which and from p the loss of a wrong one follows:
    `learn.losses.negative_aware` reads p off it.
    """

    scale: Scale = YES_NO

    def assign(self, groups: Sequence[Group]) -> list[Advantages]:
        """One advantage an attempt; None where all passed or none did."""
        found: list[Advantages] = []
        for group in groups:
            passed = passed_of(group, self.scale)
            p = sum(passed) / max(1, len(passed))
            found.append(tuple(float(right) - p for right in passed) if 0 < p < 1 else None)
        return found


def passed_of(group: Group, scale: Scale) -> list[bool]:
    """Whether each attempt passed. Raises DomainError where nobody knows."""
    rewards_of(group, scale)  # for its checks
    passed = [verdict.passed for verdict in group.verdicts]
    if any(p is None for p in passed):
        raise DomainError(
            f"task {group.task.id} has rewards and no success, which learn.algorithm needs to know",
            "set learn.algorithm = 'grpo', or let the domain say which attempts passed",
        )
    return [bool(p) for p in passed]
