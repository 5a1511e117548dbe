"""Rewards as credit sees them: of one group, on [0, 1], checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autotelic.errors import DomainError
from autotelic.scale import FLAT, scaled
from autotelic.types import Group, Scale

Floats = np.ndarray[Any, np.dtype[np.float64]]
Advantage = float | tuple[float, ...]
"""Of an attempt as a whole, or one for each token that it sampled."""
Advantages = tuple[float, ...] | None
"""One for each attempt of a group; None for a group that has nothing to teach."""

ROUNDING = 1e-6
"""How far beyond its scale a reward may lie, as a share of the scale: mixing sources rounds."""
EPSILON = 1e-4
"""Added to a deviation before it divides, as TRL does."""


def rewards_of(group: Group, scale: Scale) -> Floats:
    """One reward an attempt. [G]. Solvers' are brought from the domain's `scale` to [0, 1]; proposers' are
    not a domain's, and stay as they are.

    Raises ValueError where verdicts do not match the attempts or a reward is not finite, DomainError for a
    solver's reward outside the scale.
    """
    reward_G = np.array(group.rewards, dtype=np.float64)
    if len(reward_G) != len(group.episodes):
        raise ValueError(
            f"task {group.task.id}: {len(group.episodes)} attempts and {len(reward_G)} verdicts; "
            "judge the group before assigning credit"
        )
    if not np.isfinite(reward_G).all():
        raise ValueError(f"task {group.task.id}: rewards {group.rewards}; expected finite numbers")
    if group.role != "solver":
        return reward_G
    slack = ROUNDING * (scale.high - scale.low)
    for reward in reward_G:
        if not scale.low - slack <= reward <= scale.high + slack:
            raise DomainError(
                f"task {group.task.id} has a reward of {reward:g}, and its domain's scale is {scale.low:g} to "
                f"{scale.high:g}",
                "widen the scale in the domain's spec, or bring the reward into it",
            )
    return np.array([scaled(scale, reward) for reward in reward_G], dtype=np.float64)


def varied(reward_G: Floats) -> bool:
    """Whether siblings differ in reward."""
    return len(reward_G) > 1 and float(np.ptp(reward_G)) > FLAT


def as_tuple(values: Sequence[float] | Floats) -> tuple[float, ...]:
    """Plain numbers."""
    return tuple(float(value) for value in values)
