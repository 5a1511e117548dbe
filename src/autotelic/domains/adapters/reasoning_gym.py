"""Data sets of reasoning-gym: `domain.name = "reasoning-gym:chain_sum"`, or several, with commas between.

Questions come from the package's generators and rewards from its scoring. Data sets that evaluate an answer as a
program, are slow, do not repeat, or pay for nonsense are refused with the reason.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autotelic.errors import DomainError
from autotelic.types import Cell, Demonstration, Episode, Range, Spec, Task, Verdict

INSTALL = "pip install -e '.[reasoning-gym]'"
EVALUATES = "it evaluates an answer as Python"
SLOW = "a question takes longer than 50 ms of one core"
REFUSED: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "binary_matrix",
            "countdown",
            "intermediate_integration",
            "n_queens",
            "polynomial_multiplication",
            "puzzle24",
            "simple_integration",
            "spiral_matrix",
            "string_insertion",
        ),
        EVALUATES,
    ),
    **dict.fromkeys(("arc_agi", "futoshiki", "knight_swap", "sokoban", "zebra_puzzles"), SLOW),
    "composite": "it is made of other data sets; name those, with commas between",
    "list_functions": "the same seed gives other questions",
    "complex_arithmetic": "it pays in full for nan",
    "game_of_life_halting": "it pays in full for answers that are none",
    "polynomial_equations": "it pays in full for several answers at once",
    "knights_knaves": "it pays for a copy of the question",
}
"""Data sets that are not offered, and why (bench/reasoning_gym.py measures it)."""
LONGEST = 4000
"""Characters of an answer that are scored; a longer one is wrong."""
STEPS = 6
"""Levels that a data set may have: each raises every attribute of its curriculum by one."""


class ReasoningGymDomain:
    """Some data sets as modes. Level 1 is the easiest configuration of a data set's curriculum; one without a
    curriculum is the same at every level.

    The reward is the data set's, from 0 to 1, and success a full reward. Raises DomainError for a data set that does
    not exist or is refused.
    """

    def __init__(
        self,
        name: str,
        levels: tuple[int, ...] = (1,),
        modes: tuple[str, ...] = (),
        style: str = "compact",
    ) -> None:
        named = tuple(dict.fromkeys(part.strip() for part in name.split(",") if part.strip()))
        for one in named:
            _check(one)
        kept = tuple(level for level in levels if level <= STEPS) or (1,)
        self.style = style
        self.spec = Spec(
            name=f"reasoning-gym:{','.join(named)}",
            modes=tuple(mode for mode in modes if mode in named) or named,
            levels=kept,
            scale=Range(low=0.0, high=1.0),
        )
        # On the instance: without answers of its own the domain is not `Demonstrating`.
        if any(_entry(mode, 1, 0)["answer"] is not None for mode in self.spec.modes):
            self.demonstrate = _demonstrations

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A question for each cell. Those of one cell come from one data set of the package."""
        seed_of = {cell: int(rng.integers(2**31)) for cell in dict.fromkeys(cells)}
        found: list[Task] = []
        taken: dict[Cell, int] = {}
        for cell in cells:
            index = taken.setdefault(cell, 0)
            taken[cell] += 1
            # Each question has a data set of one, so that a question does not depend on how many were asked for.
            seed = (seed_of[cell] + index) % 2**31
            entry = _entry(cell.mode, cell.level, seed)
            found.append(
                Task(
                    domain=self.spec.name,
                    mode=cell.mode,
                    level=cell.level,
                    prompt=str(entry["question"]).rstrip() + "\n",
                    secret={"seed": seed},
                    signature=f"{cell.mode} {entry['question']}",
                    form=cell.mode,
                )
            )
        return found

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """What the data set's own scoring says of each answer."""
        return [_verdict(task, episode.answer) for task, episode in episodes]

    def answer(self, mode: str, completion: str) -> str:
        """What stands between <answer> and </answer>, or all of it."""
        _, found, after = completion.rpartition("<answer>")
        return (after.partition("</answer>")[0] if found else completion).strip()

    special: tuple[str, ...] = ()

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """Questions with their answers."""
        cells = self.spec.cells
        tasks = self.tasks(rng, [cells[at % len(cells)] for at in range(count)])
        shown = _demonstrations(tasks)
        return [f"{t.prompt}{d.completion if d else ''}" for t, d in zip(tasks, shown, strict=True)]


def _package() -> Any:
    try:
        import reasoning_gym
    except ImportError:
        raise DomainError("reasoning-gym is not installed", INSTALL) from None
    return reasoning_gym


def _check(name: str) -> None:
    """Raises DomainError for a data set that does not exist or is refused."""
    known = _package().factory.DATASETS
    if name not in known:
        near = difflib.get_close_matches(name, [one for one in known if one not in REFUSED], n=1)
        fix = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known)[:8])} and more"
        raise DomainError(f"reasoning-gym has no data set {name!r}", fix)
    if name in REFUSED:
        raise DomainError(f"the data set {name!r} is refused: {REFUSED[name]}", "name another one")


@lru_cache(maxsize=256)
def _settings(name: str, level: int) -> Mapping[str, Any]:
    """The configuration of a level."""
    factory = _package().factory
    if not factory.has_curriculum(name):
        return {}
    curriculum = factory.create_curriculum(name)
    for attribute, defined in curriculum.attributes.items():
        curriculum.set_attr_level(attribute, min(level - 1, len(defined.levels) - 1))
    made = curriculum.generate_configuration()
    return {key: getattr(made, key) for key in made.__dataclass_fields__ if key not in ("seed", "size")}


@lru_cache(maxsize=8192)
def _made(name: str, level: int, seed: int) -> tuple[Any, Mapping[str, Any]]:
    """The data set of one question, and the question."""
    package = _package()
    try:
        dataset = package.create_dataset(name, seed=seed, size=1, **_settings(name, level))
    except (AssertionError, TypeError, ValueError):
        dataset = package.create_dataset(name, seed=seed, size=1)  # a curriculum that its own checks refuse
    return dataset, dataset[0]


def _entry(name: str, level: int, seed: int) -> Mapping[str, Any]:
    return _made(name, level, seed)[1]


def _score(task: Task, answer: str) -> float | None:
    """The data set's score; None where it raises."""
    dataset, entry = _made(task.mode, task.level, int(task.secret["seed"]))
    try:
        return float(dataset.score_answer(answer=answer, entry=entry))
    except Exception:  # scoring that was not made for what a model writes
        return None


def _verdict(task: Task, answer: str) -> Verdict:
    score = _score(task, answer) if 0 < len(answer) <= LONGEST else None
    if score is None or not 0.0 <= score <= 1.0:
        return Verdict(reward=0.0, passed=False, reason="unreadable")
    passed = score >= 1.0
    return Verdict(
        reward=score, passed=passed, reason="right" if passed else "partly" if score > 0 else "wrong"
    )


def _demonstrations(tasks: Sequence[Task]) -> list[Demonstration | None]:
    """The data set's own answer to each task, where it has one that its scoring accepts."""
    return [_demonstration(task) for task in tasks]


def _demonstration(task: Task) -> Demonstration | None:
    answer = _entry(task.mode, task.level, int(task.secret["seed"]))["answer"]
    if not isinstance(answer, str) or (_score(task, answer) or 0.0) < 1.0:
        return None
    return Demonstration(completion=answer)
