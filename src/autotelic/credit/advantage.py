"""How much better an attempt was than expected: its reward above a baseline that it had no part in.

    rewards of siblings ─┐
                         ├─► baseline b_i ──► r_i - b_i ──► centred and scaled per (role, mode) ──► A_i
    critic: P(success) ──┘

The siblings' mean is the baseline of GRPO (Shao et al. 2024, arXiv:2402.03300), with the attempt itself left
out as in RLOO (Kool et al. 2019; Ahmadian et al. 2024, arXiv:2402.14740), so that it stays unbiased. Few
siblings are a noisy baseline; the critic's guess steadies it, as so many more siblings would.

GRPO divides by each group's own standard deviation. That weighs the tasks almost everyone solves, or almost
no one does, above the rest (Liu et al. 2025, "Dr. GRPO", arXiv:2503.20783). Here the scale is that of all
groups of one role and mode. Roles are kept apart because one baseline for two roles ruins both (SPIRAL, Liu
et al. 2025, arXiv:2506.24119).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autotelic.credit.rewards import Advantages, Floats, rewards_of, varied
from autotelic.types import YES_NO, Group, Scale

Prior = Callable[[Sequence[Group]], Sequence[float]]
"""P(success) of each group's task before it was attempted: `Critic.baseline`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupAdvantage:
    """Implements the `Credit` seam. `weight` is how many siblings the critic's `prior` is worth.

    Solvers' rewards are brought from the domain's `scale` to [0, 1], where the prior lies. A proposer's
    reward is not a domain's, so neither scale nor prior is for it.
    """

    prior: Prior | None = None
    weight: float = 2.0
    scale: Scale = YES_NO

    def assign(self, groups: Sequence[Group]) -> list[Advantages]:
        """One advantage an attempt; None for a group without variance.

        Over all groups kept of one (role, mode), advantages have mean 0 and standard deviation 1. Raises
        ValueError for a reward that is not finite, or verdicts that do not match the attempts.
        """
        reward_G = [rewards_of(group, self.scale) for group in groups]
        kept = [i for i, r in enumerate(reward_G) if varied(r)]
        guess = self._guesses([groups[i] for i in kept])
        pools: dict[tuple[str, str], list[int]] = defaultdict(list)
        surprise: dict[int, Floats] = {}
        for i, prior in zip(kept, guess, strict=True):
            surprise[i] = above(reward_G[i], prior, 0.0 if prior is None else self.weight)
            pools[(groups[i].role, groups[i].task.mode)].append(i)
        advantages: list[Advantages] = [None] * len(groups)
        for members in pools.values():
            whole = np.concatenate([surprise[i] for i in members])
            center, scale = whole.mean(), whole.std()  # not 0: every member has variance
            for i in members:
                advantages[i] = tuple(((surprise[i] - center) / scale).tolist())
        return advantages

    def _guesses(self, groups: Sequence[Group]) -> list[float | None]:
        """The prior of each solver's group; None where there is none."""
        solving = [group for group in groups if group.role == "solver"]
        if self.prior is None or not solving:
            return [None] * len(groups)
        said = iter(self.prior(solving))
        return [next(said) if group.role == "solver" else None for group in groups]


def above(reward_G: Floats, prior: float | None, weight: float) -> Floats:
    """Each reward above what its siblings and the prior led to expect. [G] -> [G].

    The baseline of attempt i is the mean of a Beta posterior: `weight` pseudo-observations of the prior, and
    the n - 1 siblings of i,

        b_i = (sum of r_j over j != i  +  weight * prior) / (n - 1 + weight)

    so the prior counts for less the more siblings there are.
    """
    n = len(reward_G)
    believed = 0.0 if prior is None else weight * prior
    baseline_G = (reward_G.sum() - reward_G + believed) / (n - 1 + weight)
    return np.asarray(reward_G - baseline_G, dtype=np.float64)
