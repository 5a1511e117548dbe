"""The class: drifting systems as tasks, forcings as answers, the score of the ensemble they give as the judge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from autotelic.domains.cells import check_cell
from autotelic.domains.expressions import Array
from autotelic.domains.forecast.systems import balance, crps, lorenz
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Observation, Range, Spec, Task, Verdict

TURNS = 6
"""Forecasts of an episode. The forcing changes before one of them."""
MEMBERS = 20
WORST = -1.0
"""The lowest reward: a score of twice climatology's or more, and a turn without a number."""


@dataclass(frozen=True, slots=True)
class System:
    """`lead` steps that are forecast, `noise` of an observation, the `low` and `high` of the forcing, and the steps
    `between` two forecasts.
    """

    lead: int
    noise: float
    low: float
    high: float
    between: int


SYSTEMS = {"lorenz": System(20, 0.1, 4.0, 14.0, 40), "balance": System(10, 0.05, 0.0, 9.0, 10)}
REGIMES = {1: (0.25, 0.75), 2: (0.0, 0.75), 3: (0.75, 1.0)}
"""Where the forcing lies in its range, by level. Level 3 has forcings that no other level has."""
MODES = tuple(SYSTEMS)
SHOWN = {"lorenz": "the mean and the spread", "balance": "the first and the last temperature"}


class ForecastDomain:
    """Forecast a system whose forcing nobody tells. A turn shows observations, the answer is the forcing.

    The forecast is the ensemble that the simulator makes of that forcing from the last observation. A reward is minus
    its fair CRPS over that of climatology, plus 1: 1 is perfect, 0 is as good as climatology.
    """

    special: tuple[str, ...] = ()

    def __init__(
        self, levels: tuple[int, ...] = (1, 2, 3), modes: tuple[str, ...] = MODES, style: str = "compact"
    ) -> None:
        self.style = style
        self.spec = Spec(
            name="forecast",
            modes=tuple(mode for mode in modes if mode in SYSTEMS) or MODES,
            levels=tuple(level for level in levels if level in REGIMES) or tuple(REGIMES),
            scale=Range(low=WORST, high=1.0),
        )

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A forcing before and after a change, and when it changes."""
        for cell in cells:
            check_cell(self.spec, cell)
        return [self._task(cell, rng) for cell in cells]

    def _task(self, cell: Cell, rng: np.random.Generator) -> Task:
        system, (low, high) = SYSTEMS[cell.mode], REGIMES[cell.level]
        span = system.high - system.low
        before, after = (round(system.low + span * float(rng.uniform(low, high)), 1) for _ in range(2))
        change, seed = int(rng.integers(1, TURNS)), int(rng.integers(2**31))
        secret = {"before": before, "after": after, "change": change, "seed": seed}
        first = _world(cell.mode, before, after, change, seed)
        asked = (
            f"Each line shows {SHOWN[cell.mode]} since the last forecast. Answer with the forcing of {cell.mode} "
            f"now, a number from {system.low:g} to {system.high:g}.\n"
        )
        return Task(
            domain=self.spec.name,
            mode=cell.mode,
            level=cell.level,
            prompt=(asked if self.style == "natural" else "") + f"{cell.mode} {first.shown(0)}\n",
            secret=secret,
            # An exam asks for changes of regime that are never practised, not for other noise.
            signature=f"{cell.mode} {before} {after} {change}",
            form=cell.mode,
        )

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Worlds:
        """A world for each task. All that happens to it is in the task, so the seeds are not needed."""
        return Worlds([world_of(task) for task in tasks])

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """The mean reward of the turns; a turn that was not reached counts as the worst."""
        return [_verdict(episode) for _, episode in episodes]

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """A random forcing of the system's range."""
        spans = [SYSTEMS[task.mode] for task in tasks]
        return [f"{float(rng.uniform(system.low, system.high)):.1f}" for system in spans]

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """Prompts with random forcings."""
        tasks = self.tasks(rng, [self.spec.cells[i % len(self.spec.cells)] for i in range(count)])
        return [f"{task.prompt}{text}" for task, text in zip(tasks, self.answers(tasks, rng), strict=True)]


def _verdict(episode: Episode) -> Verdict:
    rewards = [step.reward for step in episode.steps[:TURNS]]
    mean = (sum(rewards) + WORST * (TURNS - len(rewards))) / TURNS
    return Verdict(reward=min(1.0, max(WORST, mean)), passed=None, reason="forecast")


class World:
    """One history: observations before each forecast, the truth after it, and climatology's score."""

    def __init__(self, mode: str, before: float, after: float, change: int, seed: int) -> None:
        self.mode, self.system = mode, SYSTEMS[mode]
        rng = stream(seed, "forecast")
        self.forcings = [before if turn < change else after for turn in range(TURNS)]
        self.starts: list[Array] = []
        self.truths: list[Array] = []
        self.seen: list[tuple[float, float]] = []
        state = self.moved(
            rng.normal(before, 1, (1, 40)) if mode == "lorenz" else np.zeros((1, 2)), before, 100
        )
        for forcing in self.forcings:
            path = []
            for _ in range(4):
                state = self.moved(state, forcing, self.system.between // 4 or 1)
                path.append(self.observed(state, rng))
            values = np.concatenate(path)
            ends = (float(values[0, 0]), float(values[-1, 0]))
            self.seen.append((float(values.mean()), float(values.std())) if mode == "lorenz" else ends)
            self.starts.append(state[0])
            self.truths.append(self.told(self.moved(state, forcing, self.system.lead))[0])
        self.members = rng.normal(0, self.system.noise, (TURNS, MEMBERS, state.shape[-1]))
        everything = np.stack([*self.truths, *(self.told(start[None])[0] for start in self.starts)])
        self.climate = [max(1e-3, float(crps(everything, truth).mean())) for truth in self.truths]

    def moved(self, state: Array, forcing: Array | float, steps: int) -> Array:
        """States after so many steps under a forcing."""
        return (lorenz if self.mode == "lorenz" else balance)(state, forcing, steps)

    def told(self, state: Array) -> Array:
        """What is observed of a state: all of Lorenz-96, the upper ocean of the balance."""
        return state if self.mode == "lorenz" else state[..., :1]

    def observed(self, state: Array, rng: np.random.Generator) -> Array:
        """What is observed, with noise."""
        found = self.told(state)
        return found + rng.normal(0, self.system.noise, found.shape)

    def shown(self, turn: int) -> str:
        """What a model reads before a forecast, of the observations since the last one: `SHOWN` says what."""
        one, two = self.seen[turn]
        return f"{one:.1f} {two:.1f}"

    def score(self, turn: int, forcing: float) -> float:
        """The fair CRPS of the ensemble that a forcing gives."""
        members = self.starts[turn] + self.members[turn]
        ensemble = self.told(self.moved(members, forcing, self.system.lead))
        return float(crps(ensemble, self.truths[turn]).mean())

    def reward(self, turn: int, reply: str) -> float:
        """1 minus the score over climatology's; the worst for what is no forcing of the range."""
        number = re.search(r"-?\d+(?:\.\d+)?", reply[:100])
        if number is None or not self.system.low <= float(number[0]) <= self.system.high:
            return WORST
        return max(WORST, 1 - self.score(turn, float(number[0])) / self.climate[turn])


@lru_cache(maxsize=2048)
def _world(mode: str, before: float, after: float, change: int, seed: int) -> World:
    return World(mode, before, after, change, seed)


def world_of(task: Task) -> World:
    """The world of a task; it does not change."""
    given = task.secret
    return _world(task.mode, given["before"], given["after"], given["change"], given["seed"])


class Worlds:
    """Worlds side by side, a forecast a turn."""

    def __init__(self, worlds: Sequence[World]) -> None:
        self._worlds = worlds
        self._turns = [0] * len(worlds)

    def step(self, replies: Sequence[str | None]) -> list[tuple[Observation, float] | None]:
        """Score each forecast, and show what is observed next. After the last there is nothing more to see."""
        return [self._turn(at, reply) if reply is not None else None for at, reply in enumerate(replies)]

    def _turn(self, at: int, reply: str) -> tuple[Observation, float] | None:
        turn, world = self._turns[at], self._worlds[at]
        if turn == TURNS:
            return None
        self._turns[at] += 1
        seen = f"\n{world.shown(turn + 1)}\n" if turn + 1 < TURNS else ""
        return seen, world.reward(turn, reply)
