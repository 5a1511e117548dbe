"""The world `insulin`: a virtual patient's sheet, a therapy as the answer, and the simulator as the judge.

Nobody holds a solution. Patients are drawn new for every task, and a task's signature is its patient, so that whoever
is in an exam is never trained on. Research software, not medical advice.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Mapping, Sequence

import numpy as np

from autotelic.domains.cells import check_cell, check_spec
from autotelic.domains.insulin.course import Lane, Outcome, outcomes
from autotelic.domains.insulin.days import draw_days
from autotelic.domains.insulin.dosing import (
    STANDARD,
    AnswerError,
    Settings,
    Therapy,
    read_rule,
    read_settings,
)
from autotelic.domains.insulin.patients import GROUPS, Patient, new_patient
from autotelic.types import Cell, Episode, Range, Spec, Task, Verdict

DAYS = 3
"""Days of a sheet, and days on which an answer is judged."""
SEEDS = 2**31
"""Seeds of days: enough that no two tasks share theirs."""
LEVELS = (1, 2)
"""2: what is eaten is miscounted, and some meals are not announced."""
MODES = ("settings", "expression")
GROUP_BEST: Mapping[str, Settings] = {
    "adolescent": Settings(90, 125, 160, 160),
    "adult": Settings(90, 125, 160, 160),
    "child": Settings(90, 125, 160, 160),
}
"""A good single setting of each group, beside which an answer has to be better to pass."""
UNSAFE = 5.0
"""Points of utility by which a therapy with more time below 54 than the standard one stays below it, at least."""
KEPT = 4096
"""References remembered: those of the tasks of a generation and of an exam."""


class InsulinDomain:
    """Set a therapy, or write a dosing rule, for a virtual patient that was never seen before."""

    name = "insulin"
    offers: tuple[str, ...] = MODES

    def __init__(
        self, levels: Sequence[int] = LEVELS, style: str = "compact", modes: Sequence[str] | None = None
    ) -> None:
        chosen = tuple(modes or self.offers)
        spec = Spec(name=self.name, modes=chosen, levels=tuple(levels), scale=Range(low=-1.0, high=1.0))
        self.spec = check_spec(spec, modes=self.offers, levels=LEVELS)
        self.style = style
        self._references: OrderedDict[tuple[str, int], tuple[Outcome, Outcome]] = OrderedDict()

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """A new patient a cell, with a summary of three days on standard therapy."""
        drawn: list[tuple[Cell, Patient, int, int]] = []
        for cell in cells:
            check_cell(self.spec, cell)
            patient = new_patient(GROUPS[int(rng.integers(len(GROUPS)))], rng)
            drawn.append((cell, patient, int(rng.integers(SEEDS)), int(rng.integers(SEEDS))))
        before = outcomes([Lane(p, STANDARD, draw_days(seed, DAYS, c.level)) for c, p, seed, _ in drawn])
        return [self._task(cell, p, o, seed) for (cell, p, _, seed), o in zip(drawn, before, strict=True)]

    def _task(self, cell: Cell, patient: Patient, before: Outcome, seed: int) -> Task:
        secret = {"group": patient.group, "patient": dict(patient.values), "seed": seed}
        return Task(
            domain=self.spec.name,
            mode=cell.mode,
            level=cell.level,
            prompt=self.sheet(cell.mode, patient) + self.seen(before) + "\n",
            secret=secret,
            signature=hashlib.sha256(repr(sorted(patient.values.items())).encode()).hexdigest()[:32],
            form=cell.mode,
        )

    def sheet(self, mode: str, patient: Patient) -> str:
        """Who the patient is: group, weight (kg), insulin a day (U), and what is asked."""
        weight, insulin = round(patient.values["BW"]), round(patient.values["TDI"])
        if self.style != "natural":
            return f"{'S' if mode != 'expression' else 'E'}{patient.group[:2]} w{weight} i{insulin}"
        asked = (
            "Write the insulin of each quarter of an hour in units, as an expression of g (glucose, mg/dL), d (its "
            "change), c (carbohydrates, g), i (insulin on board), r (g per unit), f (mg/dL per unit), such as "
            "c/r+(g>150)*(g-140)/f."
            if mode == "expression"
            else "Give basal rate, carbohydrate ratio and correction factor in percent of standard, and the target "
            "in mg/dL, such as 100 100 100 140."
        )
        return f"{asked}\nVirtual {patient.group}, {weight} kg, {insulin} units a day."

    def seen(self, o: Outcome) -> str:
        """The summary of some days."""
        numbers = [round(v) for v in (o.mean, o.below70, o.below54, o.above)]
        if self.style != "natural":
            return " m{} l{} v{} h{}".format(*numbers)
        text = " Three days: mean {} mg/dL, {} % below 70, {} % below 54, {} % above 180."
        return text.format(*numbers)

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """Therapies drawn at random, whoever the patient is."""
        return [random_rule(rng) if task.mode == "expression" else random_settings(rng) for task in tasks]

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """Utility on days that the sheet does not show, as a share of 100 and at least -1.

        `passed`: safer than or as safe as standard therapy, and better than a good single setting of the group.
        """
        read = [therapy_of(task, episode.answer) for task, episode in episodes]
        good = [(task, t) for (task, _), t in zip(episodes, read, strict=True) if not isinstance(t, str)]
        ran = iter(outcomes([self.lane(task, therapy) for task, therapy in good]))
        references = self.references([task for task, _ in good])
        return [
            refused(t) if isinstance(t, str) else verdict(next(ran), *references[task.id])
            for (task, _), t in zip(episodes, read, strict=True)
        ]

    def lane(self, task: Task, therapy: Therapy, visit: int = 0) -> Lane:
        """A task's patient under a therapy, on the days of a visit."""
        patient = Patient.of("of the task", task.secret["group"], task.secret["patient"])
        return Lane(patient, therapy, draw_days(int(task.secret["seed"]) + visit, DAYS, task.level))

    def references(self, tasks: Sequence[Task], visit: int = 0) -> dict[str, tuple[Outcome, Outcome]]:
        """How standard therapy and the good single setting do on the days of a visit, by the task's id."""
        known = self._references
        new = list({t.id: t for t in tasks if (t.id, visit) not in known}.values())
        pairs = [(t, s) for t in new for s in (STANDARD, GROUP_BEST[t.secret["group"]])]
        ran = iter(outcomes([self.lane(t, s, visit) for t, s in pairs]))
        known |= {(task.id, visit): (next(ran), next(ran)) for task in new}
        found = {task.id: known[task.id, visit] for task in tasks}
        while len(known) > KEPT:
            known.popitem(last=False)
        return found

    def form(self, mode: str) -> str:
        """Four numbers, or the characters of an expression."""
        return (
            r"[0-9gdcirf+\-*/().,<> maxin]{1,160}\n"
            if mode == "expression"
            else r"[0-9]{2,3}( [0-9]{2,3}){3}\n"
        )

    @property
    def special(self) -> tuple[str, ...]:
        """No marker is needed: a prompt ends with its line."""
        return ()

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """Prompts, each with an answer of the right form."""
        tasks = self.tasks(rng, [self.spec.cells[at % len(self.spec.cells)] for at in range(count)])
        drawn = self.answers(tasks, rng)
        return [f"{task.prompt}{text}" for task, text in zip(tasks, drawn, strict=True)]


def therapy_of(task: Task, text: str) -> Therapy | str:
    """What an answer sets, or the word for why it sets nothing."""
    try:
        return read_rule(text) if task.mode == "expression" else read_settings(text)
    except AnswerError as error:
        return str(error)


def refused(reason: str) -> Verdict:
    """The lowest reward, for what is no therapy."""
    return Verdict(reward=-1.0, passed=False, reason=reason)


def verdict(found: Outcome, standard: Outcome, single: Outcome) -> Verdict:
    """The verdict of one course. A therapy with more time below 54 than the standard one earns less than that one."""
    if found.failed:
        return refused("number")
    unsafe = found.below54 > standard.below54
    utility = min(found.utility, standard.utility - UNSAFE) if unsafe else found.utility
    better = not unsafe and found.utility > single.utility
    reason = "unsafe" if unsafe else "better" if better else "worse"
    return Verdict(reward=max(-1.0, utility / 100), passed=better, reason=reason)


def random_settings(rng: np.random.Generator) -> str:
    """Four numbers on a grid, each evenly."""
    spans: Sequence[tuple[int, int, int]] = ((60, 140, 5), (60, 220, 10), (60, 220, 10), (100, 180, 10))
    return " ".join(str(int(rng.integers(low // by, high // by + 1)) * by) for low, high, by in spans) + "\n"


def random_rule(rng: np.random.Generator) -> str:
    """A bolus for what is eaten, a correction, and a brake, each with a random size."""
    share, size, level, brake = (
        rng.integers(3, 10),
        rng.integers(1, 10),
        rng.integers(10, 20),
        rng.integers(0, 6),
    )
    rules = [
        f"c/r*.{share}+(g>{level}0)*(g-{level}0)/f*.{size}",
        f"c/r*.{share}+(g-{level}0)/f*.{size}-i*.{brake}",
        f"c/r*.{share}+(g+d*{brake}-{level}0)/f*.{size}",
        f"c/r*.{share}",
    ]
    return str(rules[int(rng.integers(len(rules)))]) + "\n"
