"""Rewards of any scale as numbers from 0 to 1, in which curriculum, credit, critic and exams reckon."""

from __future__ import annotations

from autotelic.types import Scale


def scaled(scale: Scale, reward: float) -> float:
    """The reward's place between the scale's ends, in [0, 1]. A reward beyond an end counts as that end.

    >>> from autotelic.types import Binary, Range
    >>> scaled(Range(low=-10.0, high=10.0), 5.0), scaled(Binary(), 1.0)
    (0.75, 1.0)
    """
    return min(1.0, max(0.0, (reward - scale.low) / (scale.high - scale.low)))
