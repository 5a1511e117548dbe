"""Somebody else's environment as a domain: a seed is a task, an episode is played in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from autotelic.domains.processes import Process
from autotelic.domains.watch import WrongValueError
from autotelic.types import Cell, Episode, Observation, Range, Scale, Spec, Task, Verdict

WORKER = Path(__file__).with_name("worker.py")
SECONDS = 20.0
"""Seconds that a turn of some episodes may take before the process is ended."""
TOGETHER = 32
"""Episodes of one request."""
TURNS = 64
"""Turns after which an episode is over: contexts are short, and some environments never end."""
ILLEGAL = -1e9
"""The reward of an action that does not exist: less than any episode has earned before."""
ROUNDING = 1e-6
SQUASHED = Range(low=-1.0, high=1.0)
"""The scale where nobody knows how much can be earned: x / (1 + |x|) of the sum x of the rewards."""
MODE = "play"
_numbers = count()


class EnvironmentDomain:
    """Episodes of an environment, judged by the sum of its rewards.

    `scale` is that of the sum; None squashes it. An action that does not exist ends the episode with the lowest
    reward. Raises DomainError where there is no such environment, or it does not go the same way from the same seed.
    """

    def __init__(
        self,
        kind: str,
        name: str,
        *,
        fix: str,
        scale: Scale | None = None,
        style: str = "compact",
        python: str = sys.executable,
        worker: Path = WORKER,
        seconds: float = SECONDS,
    ) -> None:
        self.squashed = scale is None
        self.spec = Spec(name=f"{kind}:{name}", modes=(MODE,), levels=(1,), scale=scale or SQUASHED)
        command = [python, "-P", str(worker), kind, name, *(["natural"] if style == "natural" else [])]
        self._process = Process(command, name=f"{kind}:{name}", fix=fix, seconds=seconds)
        self.options: list[str] = self._process.ask({"op": "options"})

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A seed for each cell; the prompt is what the environment shows first."""
        seeds = [int(rng.integers(2**31)) for _ in cells]
        asked = [{"key": f"first {seed}", "seed": seed, "replies": []} for seed in seeds]
        shown = self.play(asked)
        return [
            Task(
                domain=self.spec.name,
                mode=cell.mode,
                level=cell.level,
                prompt=line(said(row)),
                secret={"seed": seed},
                form=MODE,
            )
            for cell, seed, row in zip(cells, seeds, shown, strict=True)
        ]

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Plays:
        """An environment for each task, whose seed is in the task."""
        return Plays(self, tasks)

    def play(self, episodes: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """What each episode shows after its last reply. Raises ProcessError where the process hung or ended."""
        found: list[dict[str, Any]] = []
        for at in range(0, len(episodes), TOGETHER):
            found += self._process.ask({"op": "play", "episodes": list(episodes[at : at + TOGETHER])})
        return found

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """The sum of an episode's rewards, on the scale."""
        return [self._verdict(episode) for _, episode in episodes]

    def _verdict(self, episode: Episode) -> Verdict:
        scale = self.spec.scale
        if not episode.steps:
            return Verdict(reward=scale.low, passed=None, reason="unfinished")
        total = sum(step.reward for step in episode.steps)
        if self.squashed:
            total /= 1.0 + abs(total)
        if total <= scale.low + ROUNDING:
            illegal = episode.steps[-1].reward == ILLEGAL
            return Verdict(reward=scale.low, passed=None, reason="illegal" if illegal else "lowest")
        return Verdict(reward=float(min(scale.high, total)), passed=None, reason="played")

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """An action at random, where the actions are known."""
        if not self.options:
            return [None] * len(tasks)
        return [self.options[int(rng.integers(len(self.options)))] for _ in tasks]

    def answer(self, mode: str, completion: str) -> str:
        """The last line."""
        return completion.strip().rpartition("\n")[2].strip()

    special: tuple[str, ...] = ()

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """First observations with random actions."""
        tasks = self.tasks(rng, [Cell(mode=MODE, level=1)] * min(count, 200))
        drawn = self.answers(tasks, rng)
        texts = [f"{task.prompt}{action or ''}" for task, action in zip(tasks, drawn, strict=True)]
        return [texts[at % len(texts)] for at in range(count)]


class Plays:
    """Episodes side by side. Each is named by its seed and its replies, so that a process that died is no loss."""

    def __init__(self, domain: EnvironmentDomain, tasks: Sequence[Task]) -> None:
        self._domain = domain
        self._keys = [f"{next(_numbers)}" for _ in tasks]
        self._seeds = [int(task.secret["seed"]) for task in tasks]
        self._replies: list[list[str]] = [[] for _ in tasks]

    def step(self, replies: Sequence[str | None]) -> list[tuple[Observation, float] | None]:
        """What each environment shows, and its reward. Raises WrongValueError where one of them failed."""
        live = [at for at, reply in enumerate(replies) if reply is not None]
        asked: list[dict[str, Any]] = [
            {
                "key": self._keys[at],
                "seed": self._seeds[at],
                "replies": [*self._replies[at], str(replies[at]).strip()],
            }
            for at in live
        ]
        shown = self._domain.play(asked)
        for row in shown:
            said(row)  # before anything is kept: a batch that failed is asked again one by one
        found: list[tuple[Observation, float] | None] = [None] * len(replies)
        for at, one, row in zip(live, asked, shown, strict=True):
            self._replies[at] = one["replies"]
            found[at] = self._seen(at, row)
        return found

    def _seen(self, at: int, row: dict[str, Any]) -> tuple[Observation, float]:
        reward = float(row["reward"])
        if row["illegal"]:
            reward = ILLEGAL
        over = row["done"] or len(self._replies[at]) >= TURNS
        return ("" if over else line(row["shown"])), reward


def line(shown: str) -> str:
    """The text with an end of line, which tells it from the reply."""
    return shown if shown.endswith("\n") else shown + "\n"


def said(row: dict[str, Any]) -> str:
    """What an environment showed. Raises WrongValueError where it failed."""
    if "error" in row:
        raise WrongValueError(str(row["error"]))
    return str(row["shown"])
