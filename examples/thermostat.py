"""A room to keep at its temperature: a simulator of several turns, real rewards, and no known solution.

The model reads how far the room is from its target, such as `-3` degrees, and answers with the heater's power for the
next hour, a digit. Then the room loses some heat, nobody says how much. After four hours the reward is minus the mean
distance from the target.

    autotelic run examples/thermostat.toml --out runs/thermostat
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from autotelic.types import Cell, Episode, Observation, Range, Spec, Task, Verdict

HOURS = 4
"""Turns of an episode."""
FARTHEST = 10
"""Degrees from the target: the room gets no colder and no warmer."""
LOSSES = (1, 2, 3, 4, 5)
"""Degrees that the room may lose in an hour. A heater at 3 keeps it where it is, on average."""


class Thermostat:
    """Keep a room at its target. A task is where the room starts and what it will lose in each hour."""

    spec = Spec(name="thermostat", modes=("hold",), levels=(1,), scale=Range(low=-FARTHEST, high=0))

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """One room a cell. The first thing shown is how far it is from its target."""
        return [self._task(cell, int(rng.integers(-5, 6)), rng.choice(LOSSES, HOURS)) for cell in cells]

    def _task(self, cell: Cell, start: int, losses: Sequence[int]) -> Task:
        return Task(
            domain=self.spec.name,
            mode=cell.mode,
            level=cell.level,
            prompt=shown(start),
            secret={"start": start, "losses": [int(loss) for loss in losses]},
        )

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Rooms:
        """A room for each task. All that happens to it is in the task, so the seeds are not needed."""
        return Rooms(tasks)

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """Minus the mean distance from the target; an hour that was not reached counts as the farthest."""
        return [Verdict(reward=self._mean(episode), passed=None, reason="held") for _, episode in episodes]

    def _mean(self, episode: Episode) -> float:
        missing = HOURS - len(episode.steps)
        return (sum(step.reward for step in episode.steps) - FARTHEST * missing) / HOURS


class Rooms:
    """Rooms side by side, an hour a turn."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self.degrees = [int(task.secret["start"]) for task in tasks]
        self.losses = [list(task.secret["losses"]) for task in tasks]

    def step(self, replies: Sequence[str | None]) -> list[tuple[Observation, float] | None]:
        """Heat each room as its reply says. After the last hour there is nothing more to see."""
        return [self._hour(at, reply) if reply is not None else None for at, reply in enumerate(replies)]

    def _hour(self, at: int, reply: str) -> tuple[Observation, float]:
        warmer = self.degrees[at] + power(reply) - self.losses[at].pop(0)
        self.degrees[at] = max(-FARTHEST, min(FARTHEST, warmer))
        seen = shown(self.degrees[at]) if self.losses[at] else ""
        return seen, -float(abs(self.degrees[at]))


def shown(degrees: int) -> str:
    """What the model reads: the distance from the target."""
    return f"{degrees:+d}\n"


def power(reply: str) -> int:
    """The heater's power: the first digit of a reply; without one the heater stays off."""
    digit = re.search("[0-9]", reply)
    return int(digit[0]) if digit else 0
