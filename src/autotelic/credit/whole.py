"""One baseline and one scale for all attempts of a generation, whatever their task."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autotelic.credit.rewards import EPSILON, Advantages, as_tuple, rewards_of, varied
from autotelic.types import YES_NO, Group, Scale


@dataclass(frozen=True, slots=True, kw_only=True)
class GlobalNormalised:
    """REINFORCE++: A = (r - mean) / deviation over the whole batch (Hu et al. 2025, arXiv:2501.03262, eq. 6).

    A group whose attempts all passed is above the mean, and teaches. Solvers and proposers are kept apart:
    one baseline for two roles ruins both (SPIRAL, arXiv:2506.24119). The paper subtracts the distance to the
    reference policy from the reward; here `learn.kl` prices it in the loss, as for every algorithm.
    """

    scale: Scale = YES_NO

    def assign(self, groups: Sequence[Group]) -> list[Advantages]:
        """One advantage an attempt; None where all attempts of a role fared alike."""
        reward_G = [rewards_of(group, self.scale) for group in groups]
        found: list[Advantages] = [None] * len(groups)
        for role in ("solver", "proposer"):
            members = [i for i, group in enumerate(groups) if group.role == role]
            whole_N = np.concatenate([np.zeros(0), *(reward_G[i] for i in members)])
            if not varied(whole_N):
                continue
            mean, deviation = whole_N.mean(), whole_N.std(ddof=1) + EPSILON
            for i in members:
                found[i] = as_tuple((reward_G[i] - mean) / deviation)
        return found
