"""The room of `thermostat.py` with success in place of a real reward: at the end it is at its target or it is not."""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.types import Binary, Episode, Spec, Task, Verdict
from examples.thermostat import HOURS, Thermostat

NEAR = 2
"""Degrees from the target that are near enough. The last hour's loss cannot be known, and is within 2 of its mean."""


class ThermostatGoal(Thermostat):
    """Bring a room to its target within four hours."""

    spec = Spec(name="thermostat-goal", modes=("reach",), levels=(1,), scale=Binary())

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """Whether the room is near its target after the last hour."""
        return [verdict(reached(episode)) for _, episode in episodes]


def reached(episode: Episode) -> bool:
    """Whether all hours passed, and the last one ended near the target."""
    return len(episode.steps) == HOURS and episode.steps[-1].reward >= -NEAR


def verdict(passed: bool) -> Verdict:
    """Success as a reward of 1 or 0."""
    return Verdict(reward=float(passed), passed=passed, reason="reached" if passed else "missed")
