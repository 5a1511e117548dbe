"""The class: distributions of instances as tasks, formulas as answers, the length of routes as the judge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from autotelic.domains.cells import check_cell
from autotelic.domains.expressions import Formula, FormulaError, draw, line_of, parse
from autotelic.domains.routing import instances
from autotelic.domains.routing.instances import DEMANDS, DEPOTS, Instance
from autotelic.domains.routing.skeletons import INSERTION, PLAIN, SAVINGS, cost, routes_of
from autotelic.types import Cell, Episode, Range, Spec, Task, Verdict

WORST, BEST = -50.0, 20.0
"""Percent shorter than the published heuristic's routes: the ends of the scale. No formula is worth the first."""
POOREST = -49.0
"""The reward of the worst formula, so that any formula is better than none."""
BETTER = 0.5
"""Percent shorter than the published heuristic's routes at which a formula passes."""
CUSTOMERS = {1: 20, 2: 40, 3: 60}
"""Customers of an instance, by level. Level 3 has mixed places, which no other level has."""
INSTANCES = 3
"""Instances that an answer is tried on."""
NAMES = {"capacity": SAVINGS, "windows": INSERTION}
MODES = tuple(NAMES)
REMEMBERED = 4096
"""Tasks of which the published heuristic's lengths are kept in memory."""
NATURAL = """Vehicles that hold {capacity} customers on average serve {customers} customers in {places} places.
Write a formula that scores {what}. The highest score comes first. It may use {names}, numbers, + - * / ^, min, max,
abs, sqrt and if(a, b, x, y), which is x where a < b and else y. Write the formula alone.
"""
WHAT = {"capacity": "a pair of customers that may be joined", "windows": "a place in a route for a customer"}


class RoutingDomain:
    """Make short routes for vehicles. An answer is the formula that scores pairs or places in a skeleton.

    A reward is the percent by which routes are shorter than those of the published heuristic.
    """

    special: tuple[str, ...] = ()

    def __init__(
        self, levels: tuple[int, ...] = (1, 2, 3), modes: tuple[str, ...] = MODES, style: str = "compact"
    ) -> None:
        self.style = style
        self._plain: dict[str, tuple[int, ...]] = {}
        self.spec = Spec(
            name="routing",
            modes=tuple(mode for mode in modes if mode in NAMES) or MODES,
            levels=tuple(level for level in levels if level in CUSTOMERS) or tuple(CUSTOMERS),
            scale=Range(low=WORST, high=BEST),
        )

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A distribution for each cell, and the seed of its instances."""
        for cell in cells:
            check_cell(self.spec, cell)
        return [self._task(cell, rng) for cell in cells]

    def _task(self, cell: Cell, rng: np.random.Generator) -> Task:
        rules: dict[str, Any] = {
            "depot": str(rng.choice(DEPOTS)),
            "places": "mixed" if cell.level == 3 else str(rng.choice(["random", "clustered"])),
            "clusters": int(rng.integers(3, 9)),
            "demands": str(rng.choice(list(DEMANDS))),
            "per_route": int(rng.integers(3, 16)),
            "windows": int(rng.integers(4, 13)) * 100 if cell.mode == "windows" else 0,
        }
        secret = rules | {"customers": CUSTOMERS[cell.level], "seed": int(rng.integers(2**31))}
        # An exam asks for distributions that are never practised, not for other seeds of the same ones.
        return self._made(cell, secret, " ".join([cell.mode, *map(str, rules.values())]))

    def _made(self, cell: Cell, secret: dict[str, Any], signature: str) -> Task:
        given = (secret.get(key, "own") for key in ("depot", "places", "demands", "per_route", "windows"))
        prompt = " ".join([cell.mode, *map(str, given)]) + "\n"
        if self.style == "natural":
            words = {"places": "own", "customers": "some", **secret}
            prompt = NATURAL.format(
                capacity=secret.get("per_route", "some"),
                customers=words["customers"],
                places=words["places"],
                what=WHAT[cell.mode],
                names=", ".join(NAMES[cell.mode]),
            )
        return Task(
            domain=self.spec.name,
            mode=cell.mode,
            level=cell.level,
            prompt=prompt,
            secret=secret,
            signature=signature,
            form=cell.mode,
        )

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """The percent by which routes are shorter than the published heuristic's. What is alike is done once."""
        known: dict[tuple[str, Formula], Verdict] = {}
        return [self._judged(task, episode.answer, known) for task, episode in episodes]

    def _judged(self, task: Task, answer: str, known: dict[tuple[str, Formula], Verdict]) -> Verdict:
        try:
            formula = parse(line_of(answer), NAMES[task.mode])
        except FormulaError as error:
            return Verdict(reward=WORST, passed=False, reason=error.reason, feedback=error.detail)
        if (task.id, formula) not in known:
            known[task.id, formula] = self._verdict(task, formula)
        return known[task.id, formula]

    def _verdict(self, task: Task, formula: Formula) -> Verdict:
        if task.id not in self._plain:
            while len(self._plain) >= REMEMBERED:
                del self._plain[next(iter(self._plain))]
            self._plain[task.id] = lengths(task, parse(PLAIN[task.mode], NAMES[task.mode]))
        plain, found = self._plain[task.id], lengths(task, formula)
        shorter = 100 * float(np.mean([1 - own / old for own, old in zip(found, plain, strict=True)]))
        return Verdict(
            reward=min(BEST, max(POOREST, shorter)),
            passed=shorter >= BETTER,
            reason="shorter" if shorter >= BETTER else "no shorter",
            feedback=f"routes of {sum(found)}; {PLAIN[task.mode]} has {sum(plain)}",
        )

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """Random formulas, whatever they are worth."""
        return [draw(rng, NAMES[task.mode], depth=2) for task in tasks]

    def answer(self, mode: str, completion: str) -> str:
        """The last line, without what precedes an equals sign."""
        return line_of(completion)

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """Prompts with random formulas."""
        tasks = self.tasks(rng, [self.spec.cells[i % len(self.spec.cells)] for i in range(count)])
        return [f"{task.prompt}{text}" for task, text in zip(tasks, self.answers(tasks, rng), strict=True)]

    def pose(self, text: str) -> Task:
        """The task of a person's own VRPLIB file. Raises DomainError, in one line, for what is none."""
        mode = "capacity" if instances.read(text).window is None else "windows"
        return self._made(Cell(mode=mode, level=self.spec.levels[0]), {"file": text}, "")


def instances_of(task: Task) -> tuple[Instance, ...]:
    """What an answer to a task is tried on."""
    if "file" in task.secret:
        return (instances.read(str(task.secret["file"])),)
    rules = {key: value for key, value in task.secret.items() if key != "seed"}
    return tuple(instances.made(**rules, seed=task.secret["seed"] + index) for index in range(INSTANCES))


def lengths(task: Task, formula: Formula) -> tuple[int, ...]:
    """The length of a formula's routes on each instance of a task; 1 at least, so that they can be compared."""
    return tuple(max(1, cost(routes_of(formula, case), case)) for case in instances_of(task))
