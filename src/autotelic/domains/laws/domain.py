"""The class: hidden laws as tasks, measurements as turns, values and units as the judge."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from autotelic.domains.cells import check_cell
from autotelic.domains.expressions import Array, Formula, FormulaError, draw, parse
from autotelic.domains.laws.table import SYMBOLS, Law, law, made, public, units_of
from autotelic.domains.laws.units import UnitError, spelled, unit, unit_of
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Observation, Range, Spec, Task, Verdict

BUDGET = {1: 3, 2: 5, 3: 8}
"""Measurements, by level."""
NOISE = 0.01
"""The standard deviation of a reading, as a share of its value."""
LOW, HIGH, BEYOND = 1.0, 5.0, 10.0
"""What may be measured, and where the law is extrapolated to."""
POINTS = 64
"""Points that a formula is judged on, within the range and as many beyond it."""
EXACT = 0.01
"""A law is recovered where no point is off by more than this share."""
VALID, UNITS = 0.05, 0.2
"""Reward of a formula, and of one with the right units. The rest is for its values."""
MODES = ("public", "made")
ASK = "="
"""What is shown when the budget is spent: a formula is due."""


class LawsDomain:
    """Find a hidden law. A turn is a measurement, numbers for the variables in order, or `=` and the formula.

    `public` laws are a table of published ones, `made` laws come from rules. A reward is from 0 to 1.
    """

    special: tuple[str, ...] = ()

    def __init__(
        self, levels: tuple[int, ...] = (1, 2, 3), modes: tuple[str, ...] = MODES, style: str = "compact"
    ) -> None:
        self.style = style
        self.spec = Spec(
            name="laws",
            modes=tuple(mode for mode in modes if mode in MODES) or MODES,
            levels=tuple(level for level in levels if level in BUDGET) or tuple(BUDGET),
            scale=Range(low=0.0, high=1.0),
        )

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A law for each cell, and the seed of its noise."""
        for cell in cells:
            check_cell(self.spec, cell)
        return [self._task(cell, self._drawn(cell, rng), int(rng.integers(2**31))) for cell in cells]

    def _drawn(self, cell: Cell, rng: np.random.Generator) -> Law:
        if cell.mode == "made":
            return made(cell.level, rng)
        own = [found for found in public() if found.level == cell.level]
        return own[int(rng.integers(len(own)))]

    def _task(self, cell: Cell, found: Law, seed: int) -> Task:
        variables = ", ".join(
            f"{symbol} {text}" for symbol, text in zip(found.symbols, found.units, strict=True)
        )
        prompt = f"{variables} > {found.result}\n"
        if self.style == "natural":
            prompt = (
                f"A quantity in {found.result} depends on {variables} by an unknown law. You may measure it "
                f"{BUDGET[cell.level]} times: write a value from {LOW:g} to {HIGH:g} for each variable, such as "
                f"{' '.join('234'[at % 3] for at in range(len(found.units)))}. When you know the law, write = and "
                "the formula, over these letters, numbers, + - * / ^, sqrt, exp, log, sin and cos.\n"
            )
        row = " | ".join([found.name, found.result, str(found.formula), variables])
        return Task(
            domain=self.spec.name,
            mode=cell.mode,
            level=cell.level,
            prompt=prompt,
            secret={"law": row, "seed": seed},
            # An exam asks for laws that are never practised, not for other noise.
            signature=f"{found.formula} {found.result} {variables}",
            form=f"{len(found.units)}",
        )

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Instruments:
        """An instrument for each task. Its noise is in the task, so the seeds are not needed."""
        return Instruments(tasks)

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """How near the formula of the last turn comes, within the measured range and beyond, and its units."""
        return [_verdict(task, episode.answer) for task, episode in episodes]

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """A random measurement, or a random formula."""
        return [self._answer(_law(task), rng) for task in tasks]

    def _answer(self, found: Law, rng: np.random.Generator) -> str:
        if rng.random() < 0.3:
            return " ".join(str(int(value)) for value in rng.integers(1, 6, len(found.symbols)))
        names, numbers = list(found.symbols), ("1", "2", "3", "0.5")
        return "=" + draw(rng, names, depth=2, functions=("sqrt",), numbers=numbers)

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """Prompts with random turns."""
        tasks = self.tasks(rng, [self.spec.cells[i % len(self.spec.cells)] for i in range(count)])
        return [f"{task.prompt}{text}" for task, text in zip(tasks, self.answers(tasks, rng), strict=True)]

    def pose(self, text: str) -> Task:
        """A law of one's own: `name | unit | formula | symbol unit, ...`. Raises DomainError for what is none."""
        found = law(text)
        return self._task(Cell(mode=self.spec.modes[0], level=self.spec.levels[0]), found, 0)


class Instruments:
    """Instruments side by side, a measurement a turn."""

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._laws = [_law(task) for task in tasks]
        self._left = [BUDGET[task.level] for task in tasks]
        self._noise = [stream(int(task.secret["seed"]), "laws noise") for task in tasks]

    def step(self, replies: Sequence[str | None]) -> list[tuple[Observation, float] | None]:
        """A reading for each measurement. A formula ends the episode, and so does whatever follows the budget."""
        return [self._turn(at, reply) if reply is not None else None for at, reply in enumerate(replies)]

    def _turn(self, at: int, reply: str) -> tuple[Observation, float]:
        if "=" in reply or self._left[at] == 0:
            return "", 0.0
        self._left[at] -= 1
        values = _measured(reply, len(self._laws[at].symbols))
        shown = "?"
        if values is not None:
            value = float(_values(self._laws[at], self._laws[at].formula, np.array([values]))[0])
            shown = f"{value * (1 + NOISE * self._noise[at].standard_normal()):.4g}"
        return f"\n{shown}{ASK if self._left[at] == 0 else ''}\n", 0.0


def _measured(reply: str, count: int) -> list[float] | None:
    """The values of a measurement; None where their number or their range is wrong."""
    words = re.findall(r"-?\d+(?:\.\d+)?", reply[:200])
    values = [float(word) for word in words]
    return values if len(values) == count and all(LOW <= value <= HIGH for value in values) else None


@lru_cache(maxsize=4096)
def _read(row: str) -> Law:
    return law(row)


def _law(task: Task) -> Law:
    return _read(str(task.secret["law"]))


def _values(found: Law, formula: Formula, points: Array) -> Array:
    """A formula's values at points [n, variables]; nan where it is undefined."""
    given: dict[str, Any] = {symbol: points[:, at] for at, symbol in enumerate(found.symbols)}
    return np.broadcast_to(formula(given), (len(points),))


def points_of(found: Law) -> Array:
    """Where formulas are judged [2 * POINTS, variables]: within the range first, then beyond it."""
    rng = stream(0, "laws points", str(found.formula))
    shape = (POINTS, len(found.symbols))
    return np.concatenate([rng.uniform(LOW, HIGH, shape), rng.uniform(HIGH, BEYOND, shape)])


def _verdict(task: Task, answer: str) -> Verdict:
    found = _law(task)
    if "=" not in answer:
        return Verdict(reward=0.0, passed=False, reason="no formula")
    try:
        formula = parse(answer.rsplit("=", 1)[1].strip().split("\n")[0], found.symbols)
    except FormulaError as error:
        return Verdict(reward=0.0, passed=False, reason=error.reason, feedback=error.detail)
    points = points_of(found)
    true, guess = _values(found, found.formula, points), _values(found, formula, points)
    with np.errstate(all="ignore"):
        off = np.abs(guess - true) / np.maximum(np.abs(true), np.abs(guess))
    off = np.where(np.isfinite(guess) & np.isfinite(true), np.nan_to_num(off), 1.0)
    off = np.where(np.isfinite(true), np.minimum(off, 1.0), 0.0)
    try:
        given = unit_of(formula, units_of(found))
        right, said = given == unit(found.result), f"its unit is {spelled(given)}"
    except (UnitError, OverflowError) as error:
        right, said = False, str(error)
    # Both zero where the law is zero is no error; half of the points lie beyond the measured range.
    near = float(1 - np.mean(off))
    passed = right and bool(np.max(off) <= EXACT)
    return Verdict(
        reward=VALID + UNITS * right + (1 - VALID - UNITS) * near**2,
        passed=passed,
        reason="recovered" if passed else ("units" if not right else "other law"),
        feedback=said,
    )


def guessed_by_units(task: Task, rng: np.random.Generator) -> str:
    """A formula that has the right units, of random powers: what can be had without a measurement; for the bench."""
    found = _law(task)
    units, wanted = units_of(found), unit(found.result)
    for _ in range(100):
        powers = [int(power) for power in rng.integers(-2, 4, len(found.symbols))]
        terms = [f"{symbol}^({power})" for symbol, power in zip(SYMBOLS, powers, strict=False)]
        text = "*".join(terms)
        try:
            if unit_of(parse(text, found.symbols), units) == wanted:
                return f"={text}"
        except UnitError:
            continue
    return "=1"
