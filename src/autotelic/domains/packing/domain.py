"""The class: distributions of items as tasks, priority formulas as answers, bins as the judge."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np

from autotelic.domains.cells import check_cell
from autotelic.domains.expressions import Formula, FormulaError, draw, line_of, parse
from autotelic.domains.packing import simulator
from autotelic.domains.packing.simulator import NAMES, Items
from autotelic.domains.variation import varied
from autotelic.errors import DomainError
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Lineage, Range, Spec, Task, Verdict

WORST = -1.0
"""Points worse than best fit: the lowest reward, and that of an answer that is no formula."""
POOREST = -0.5
"""The reward of the worst formula, so that any formula is better than none. A hopeless one is no worse than one
that is a little bad. Nearly all random formulas are worse than best fit: where that is dear, reward teaches to write
best fit and nothing else."""
BEST = 10.0
"""More than any formula can save: best fit's excess on the distributions of the rules is less."""
ITEMS = {1: 1000, 2: 2000, 3: 5000}
"""Items of an instance, by level. Level 3 has the published distributions alone, which no other level has."""
OR_ITEMS = 500
"""Items of an instance of level 3 like the OR-library's: those of its third set."""
INSTANCES = 4
"""Instances that an answer is tried on. On two of 500 items the best of a generation was lucky and no better."""
MODES = ("weibull", "uniform")
SHOWN = "shown"
"""The key of an earlier answer that a task shows, in its `secret`."""
PROBED = (20, 35, 50, 70)
"""Sizes of items, in percent of a bin, at which is seen how a formula packs."""
GAPS = (1, 6, 20)
"""Gaps, in percent of a bin, among which and a new bin a formula is asked to choose."""
CAPACITIES = (100, 120, 150, 200)
"""Of level 2. Level 1 has bins of 100 alone."""
NEAR: Mapping[str, tuple[tuple[int, int], ...]] = {
    "weibull": ((45, 80), (80, 102)),
    "uniform": ((5, 20), (58, 78)),
}
WIDE: Mapping[str, tuple[tuple[int, int], ...]] = {
    "weibull": ((30, 105), (50, 120)),
    "uniform": ((5, 30), (40, 100)),
}
"""What distributions are drawn from, at level 1 and at level 2: of Weibull's the shape in twentieths and the scale in
halves, of uniform ones the smallest and the largest item; sizes in percent of a bin."""
BEST_FIT = parse(simulator.BEST_FIT, NAMES)
NATURAL = """Items arrive one by one and go at once into a bin of capacity {capacity}. Sizes are {words}.
Write a formula for the priority of a bin. The item goes into the bin with the highest priority. The formula may use
item, room and gap (= room - item), in percent of a bin, numbers, + - * / ^, min, max, abs, sqrt, exp, log and
if(a, b, x, y), which is x where a < b and else y. Write the formula alone.
"""


class PackingDomain:
    """Put items that arrive one by one into as few bins as possible. An answer is a priority function.

    Modes are kinds of distribution; `file` in a secret holds a person's own items. A reward is the bins saved against
    best fit on the same items, in percent of the lower bound. Raises DomainError for a level or a mode that does not
    exist.
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
            scale=Range(low=WORST, high=BEST),
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
        """Bins saved against best fit, in percent of the bound. All formulas of a call are packed side by side."""
        read = [_read(episode.answer) for _, episode in episodes]
        wanted = [(t, f) for (t, _), f in zip(episodes, read, strict=True) if not isinstance(f, FormulaError)]
        wanted += [(task, BEST_FIT) for task, _ in wanted]
        shown = [(task, _read(task.secret[SHOWN])) for task, _ in wanted if SHOWN in task.secret]
        wanted += [(task, formula) for task, formula in shown if not isinstance(formula, FormulaError)]
        found = excesses(wanted)
        return [
            Verdict(reward=WORST, passed=False, reason=f.reason, feedback=f.detail)
            if isinstance(f, FormulaError)
            else _verdict(task, f, found)
            for (task, _), f in zip(episodes, read, strict=True)
        ]

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        """The task of writing a better formula than one that is shown; None for what is no formula."""
        if SHOWN in task.secret or isinstance(_read(answer), FormulaError):
            return None
        asked = (
            f"A formula so far is {answer}. Write a better one.\n"
            if self.style == "natural"
            else f"{answer}\n"
        )
        secret = {**task.secret, SHOWN: answer}
        return replace(
            task, prompt=f"{task.prompt}{asked}", secret=secret, is_repair=True, lineage=lineage, id=""
        )

    def same(self, mode: str, answer: str) -> str:
        """How a formula packs: for some sizes of item its first two choices among three gaps and a new bin. Empty for
        what is no formula.
        """
        formula = _read(answer)
        return "" if isinstance(formula, FormulaError) else _behaviour(formula)

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """Random formulas, whatever they are worth; where a task shows one, that one changed at one place."""
        return [
            varied(str(task.secret[SHOWN]), NAMES, rng) if SHOWN in task.secret else draw(rng, NAMES, depth=2)
            for task in tasks
        ]

    def answer(self, mode: str, completion: str) -> str:
        """The last line, without what precedes an equals sign."""
        return line_of(completion)

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """Prompts with random formulas, half of them shown one."""
        tasks = self.tasks(rng, [self.spec.cells[i % len(self.spec.cells)] for i in range(count)])
        nothing = Verdict(reward=0.0, passed=False, reason="")
        for at, text in enumerate(self.answers(tasks, rng)):
            if at % 2:
                tasks[at] = self.repair(tasks[at], text or "", nothing, Lineage()) or tasks[at]
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
    spans = NEAR if cell.level == 1 else WIDE
    while True:
        capacity = 100 if cell.level == 1 else int(rng.choice(CAPACITIES))
        one, two = (int(rng.integers(low, high + 1)) for low, high in spans[cell.mode])
        if cell.mode == "weibull":
            clear = abs(one / 20 - 3) > 0.25 or abs(two / 2 - 45) > 3
            drawn = one / 20, two / 2 * capacity / 100
        else:
            clear = abs(one - 13) > 2 or abs(two - 67) > 3
            drawn = float(max(1, round(one * capacity / 100))), float(round(two * capacity / 100))
        if clear:
            return {"first": drawn[0], "second": drawn[1], "capacity": capacity}


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


def _read(text: str) -> Formula | FormulaError:
    """The formula that an answer spells, or why it is none."""
    try:
        return parse(line_of(text), NAMES)
    except FormulaError as error:
        return error


@lru_cache(maxsize=512)
def _ranks(formula: Formula, capacity: int) -> simulator.Ranks:
    return simulator.ranks(formula, capacity)


def excesses(wanted: Sequence[tuple[Task, Formula]]) -> dict[tuple[str, Formula], float]:
    """Each formula's mean excess on its task's instances, in percent, by the task's id. Each pair is packed once."""
    pairs = {(task.id, formula): task for task, formula in wanted}
    lanes: dict[tuple[int, int], list[tuple[str, Formula, Items]]] = defaultdict(list)
    for (id, formula), task in pairs.items():
        for items in _instances_of(task):
            lanes[int(task.secret["capacity"]), len(items)].append((id, formula, items))
    found: dict[tuple[str, Formula], list[float]] = defaultdict(list)
    for (capacity, _), alike in lanes.items():
        formulas = {formula: at for at, formula in enumerate(dict.fromkeys(f for _, f, _ in alike))}
        tables = [_ranks(formula, capacity) for formula in formulas]
        bins = simulator.bins_side_by_side(tables, [(formulas[f], items) for _, f, items in alike], capacity)
        for (id, formula, items), count in zip(alike, bins, strict=True):
            found[id, formula].append(simulator.excess(count, items, capacity))
    return {pair: float(np.mean(each)) for pair, each in found.items()}


def excess_of(task: Task, formula: Formula) -> float:
    """A formula's mean excess on a task's instances, in percent."""
    return excesses([(task, formula)])[task.id, formula]


def best_fit_of(task: Task) -> float:
    """Best fit's mean excess on a task's instances, in percent."""
    return excess_of(task, BEST_FIT)


def _verdict(task: Task, formula: Formula, found: Mapping[tuple[str, Formula], float]) -> Verdict:
    """Passed is a formula that needs fewer bins than best fit, and than one that its task shows."""
    excess, best = found[task.id, formula], found[task.id, BEST_FIT]
    shown = _read(task.secret.get(SHOWN, ""))
    passed = excess < min(best, found.get((task.id, shown), best) if isinstance(shown, Formula) else best)
    return Verdict(
        reward=max(POOREST, min(BEST, best - excess)),
        passed=passed,
        reason="better" if passed else "no better",
        feedback=f"{excess:.2f} % more bins than the bound; best fit needs {best:.2f} %",
    )


@lru_cache(maxsize=4096)
def _behaviour(formula: Formula) -> str:
    """See `PackingDomain.same`. A letter a choice: a, b or c for a gap, and n for a new bin."""
    order = simulator.orders(formula, 100)
    found = []
    for size in PROBED:
        named = {100: "n"} | {size + gap: letter for gap, letter in zip(GAPS, "abc", strict=True)}
        found.append("".join([named[room] for room in order[size] if room in named][:2]))
    return " ".join(found)


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
