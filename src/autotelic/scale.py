"""Rewards of any scale as numbers from 0 to 1, in which curriculum, credit, critic and exams reckon."""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.types import Scale

FLAT = 1e-6
"""Rewards closer together than this are one reward, which has nothing to teach."""


def differ(rewards: Sequence[float]) -> bool:
    """Whether siblings fared differently.

    >>> differ([1.0, 1.0]), differ([1.0, 0.0]), differ([])
    (False, True, False)
    """
    return len(rewards) > 1 and max(rewards) - min(rewards) > FLAT


def scaled(scale: Scale, reward: float) -> float:
    """The reward's place between the scale's ends, in [0, 1]. A reward beyond an end counts as that end.

    >>> from autotelic.types import Binary, Range
    >>> scaled(Range(low=-10.0, high=10.0), 5.0), scaled(Binary(), 1.0)
    (0.75, 1.0)
    """
    return min(1.0, max(0.0, (reward - scale.low) / (scale.high - scale.low)))
