"""The class: distributions of items as tasks, priority formulas as answers, bins as the judge."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autotelic.domains.cells import check_cell
from autotelic.domains.expressions import Formula, FormulaError, draw, line_of, parse
from autotelic.domains.packing import simulator
from autotelic.domains.packing.simulator import NAMES, Items
from autotelic.errors import DomainError
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Range, Spec, Task, Verdict

WORST = -20.0
"""Percent of bins over the bound, negative: the lowest reward, and that of an answer that is no formula."""
POOREST = -19.0
"""The reward of the worst formula, so that any formula is better than none."""
ITEMS = {1: 500, 2: 1000, 3: 5000}
"""Items of an instance, by level. Level 3 has the published distributions alone, which no other level has."""
OR_ITEMS = 500
"""Items of an instance of level 3 like the OR-library's: those of its third set."""
INSTANCES = 2
"""Instances that an answer is tried on."""
REMEMBERED = 4096
"""Tasks whose excess with best fit is kept in memory."""
MODES = ("weibull", "uniform")
CAPACITIES = (100, 120, 150, 200)
NATURAL = """Items arrive one by one and go at once into a bin of capacity {capacity}. Sizes are {words}.
Write a formula for the priority of a bin. The item goes into the bin with the highest priority. The formula may use
item, room and gap (= room - item), in percent of a bin, numbers, + - * / ^, min, max, abs, sqrt, exp, log and
if(a, b, x, y), which is x where a < b and else y. Write the formula alone.
"""


class PackingDomain:
    """Put items that arrive one by one into as few bins as possible. An answer is a priority function.

    Modes are kinds of distribution; `file` in a secret holds a person's own items. A reward is minus the percent of
    bins over the lower bound. Raises DomainError for a level or a mode that does not exist.
    """

    special: tuple[str, ...] = ()

    def __init__(
        self,
        levels: tuple[int, ...] = (1, 2, 3),
        modes: tuple[str, ...] = MODES,
        style: str = "compact",
    ) -> None:
        self.style = style
        self.spec = Spec(
            name="packing",
            modes=tuple(mode for mode in modes if mode in MODES) or MODES,
            levels=tuple(level for level in levels if level in ITEMS) or tuple(ITEMS),
            scale=Range(low=WORST, high=0.0),
        )

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A distribution for each cell, and the seed of its instances."""
        for cell in cells:
            check_cell(self.spec, cell)
        return [self._task(cell, rng) for cell in cells]

    def _task(self, cell: Cell, rng: np.random.Generator) -> Task:
        drawn = {"seed": int(rng.integers(2**31)), "count": _count(cell)}
        return self._made(cell, _distribution(cell, rng) | drawn)

    def _made(self, cell: Cell, secret: dict[str, Any]) -> Task:
        shown = " ".join(f"{secret[key]:g}" for key in ("first", "second", "capacity", "count"))
        prompt = f"{cell.mode} {shown}\n"
        if self.style == "natural":
            words = {
                "weibull": "Weibull distributed with shape {first:g} and scale {second:g}",
                "uniform": "uniform from {first:g} to {second:g}",
            }[cell.mode].format(**secret)
            prompt = NATURAL.format(words=words, **secret)
        # An exam asks for distributions that are never practised, not for other seeds of the same ones.
        kept = () if cell.level == 3 else ("seed", "count")
        behaviour = [f"{key}={value}" for key, value in sorted(secret.items()) if key not in kept]
        return Task(
            domain=self.spec.name,
            mode=cell.mode,
            level=cell.level,
            prompt=prompt,
            secret=secret,
            signature=" ".join([cell.mode, *behaviour]),
            form="priority",
        )

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """Minus the mean excess in percent, on the instances of each task. What is alike is packed once."""
        known: dict[tuple[str, Formula], Verdict] = {}
        return [self._judged(task, episode.answer, known) for task, episode in episodes]

    def _judged(self, task: Task, answer: str, known: dict[tuple[str, Formula], Verdict]) -> Verdict:
        try:
            formula = parse(line_of(answer), NAMES)
        except FormulaError as error:
            return Verdict(reward=WORST, passed=False, reason=error.reason, feedback=error.detail)
        if (task.id, formula) not in known:
            known[task.id, formula] = _verdict(task, excess_of(task, formula))
        return known[task.id, formula]

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """Random formulas, whatever they are worth."""
        return [draw(rng, NAMES, depth=2) for _ in tasks]

    def answer(self, mode: str, completion: str) -> str:
        """The last line, without what precedes an equals sign."""
        return line_of(completion)

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """Prompts with random formulas."""
        tasks = self.tasks(rng, [self.spec.cells[i % len(self.spec.cells)] for i in range(count)])
        return [f"{task.prompt}{text}" for task, text in zip(tasks, self.answers(tasks, rng), strict=True)]

    def pose(self, text: str) -> Task:
        """A file of one's own in the format of BPPLIB: the number of items, the capacity, then the sizes."""
        own = read(text)
        sizes = own["file"]
        # The prompt names the uniform distribution that spans them; the judge packs the sizes themselves.
        first, second = float(min(sizes)), float(max(sizes))
        secret = own | {"first": first, "second": second, "count": len(sizes), "seed": 0}
        mode = "uniform" if "uniform" in self.spec.modes else self.spec.modes[0]
        return self._made(Cell(mode=mode, level=self.spec.levels[0]), secret)


def _distribution(cell: Cell, rng: np.random.Generator) -> dict[str, Any]:
    """The parameters of a kind of distribution: `first` and `second`, and the capacity of a bin.

    Level 3 has FunSearch's Weibull(3, 45) and the OR-library's U[20, 100]; the others keep clear of both.
    """
    if cell.level == 3:
        first, second, capacity = (3.0, 45.0, 100) if cell.mode == "weibull" else (20.0, 100.0, 150)
        return {"first": first, "second": second, "capacity": capacity}
    while True:
        capacity = int(rng.choice(CAPACITIES))
        if cell.mode == "weibull":
            first, share = float(rng.integers(6, 21)) / 4, int(rng.integers(25, 61))
            clear = abs(first - 3) > 0.25 or abs(share - 45) > 3
            second = share * capacity / 100
        else:
            low, high = int(rng.integers(5, 31)), int(rng.integers(40, 101))
            clear = abs(low - 13) > 2 or abs(high - 67) > 3
            first, second = float(max(1, round(low * capacity / 100))), float(round(high * capacity / 100))
        if clear:
            return {"first": first, "second": second, "capacity": capacity}


def _count(cell: Cell) -> int:
    return OR_ITEMS if cell.level == 3 and cell.mode == "uniform" else ITEMS[cell.level]


def _instances_of(task: Task) -> tuple[Items, ...]:
    given: Mapping[str, Any] = task.secret
    if "file" in given:
        return (np.asarray(given["file"], dtype=np.int64),)
    return _instances(
        task.mode, given["first"], given["second"], given["capacity"], given["count"], given["seed"]
    )


@lru_cache(maxsize=4096)
def _instances(
    mode: str, first: float, second: float, capacity: int, count: int, seed: int
) -> tuple[Items, ...]:
    made: list[Items] = []
    for index in range(INSTANCES):
        rng = stream(seed, "packing", index)
        if mode == "weibull":
            made.append(simulator.weibull(rng, first, second, capacity, count))
        else:
            made.append(simulator.uniform(rng, int(first), int(second), count))
    return tuple(made)


@lru_cache(maxsize=256)
def _orders(formula: Formula, capacity: int) -> simulator.Orders:
    return simulator.orders(formula, capacity)


def excess_of(task: Task, formula: Formula) -> float:
    """A formula's mean excess on a task's instances, in percent."""
    capacity = int(task.secret["capacity"])
    order = _orders(formula, capacity)
    found = [
        simulator.excess(simulator.bins_needed(order, items, capacity), items, capacity)
        for items in _instances_of(task)
    ]
    return float(np.mean(found))


_BEST: dict[str, float] = {}


def best_fit_of(task: Task) -> float:
    """Best fit's mean excess on a task's instances, in percent. It is remembered for the last tasks."""
    if task.id not in _BEST:
        while len(_BEST) >= REMEMBERED:
            del _BEST[next(iter(_BEST))]
        _BEST[task.id] = excess_of(task, parse(simulator.BEST_FIT, NAMES))
    return _BEST[task.id]


def _verdict(task: Task, excess: float) -> Verdict:
    best = best_fit_of(task)
    passed = excess < best
    return Verdict(
        reward=max(POOREST, min(0.0, -excess)),
        passed=passed,
        reason="better" if passed else "no better",
        feedback=f"{excess:.2f} % more bins than the bound; best fit needs {best:.2f} %",
    )


def read(text: str) -> dict[str, Any]:
    """The capacity and the sizes of a file. Raises DomainError in one line for what is none."""
    words = text.split()
    try:
        count, capacity, *sizes = [int(word) for word in words]
    except ValueError:
        raise DomainError(
            "the text is no packing instance", "give whole numbers: how many items, the capacity, each size"
        ) from None
    if count != len(sizes) or not 1 <= count <= 20_000:
        raise DomainError(
            f"the instance says {count} items and has {len(sizes)}", "correct the first number (1 to 20000)"
        )
    if not 1 <= capacity <= 1000:
        raise DomainError(f"the capacity is {capacity}", "divide all sizes so that it is 1 to 1000")
    if unfit := [size for size in sizes if not 1 <= size <= capacity]:
        raise DomainError(
            f"an item of size {unfit[0]} fits no bin of {capacity}", "give sizes from 1 to the capacity"
        )
    return {"capacity": capacity, "file": sizes}
