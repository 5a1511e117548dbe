"""`PythonDomain`: real Python, run for real, behind the `Domain` seam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from autotelic.domains.python import judge as judging
from autotelic.domains.python.admission import Admission
from autotelic.domains.python.execution import Executor, bundled
from autotelic.domains.python.inputs import SIZES
from autotelic.domains.python.operations import Operation, operations
from autotelic.domains.python.rules import make_tasks
from autotelic.domains.python.styles import Compact, Natural, Style
from autotelic.domains.python.tasks import (
    MODES,
    NAME,
    PROGRAMS,
    SPECIAL,
    mending,
    proposal_of,
    told_spans,
)
from autotelic.errors import DomainError
from autotelic.sandbox import Sandbox
from autotelic.types import Cell, Lineage, Proposal, Rejection, Task, Verdict

_STYLES: dict[str, type[Compact] | type[Natural]] = {"compact": Compact, "natural": Natural}


class PythonDomain:
    """Straight-line Python of one argument, one operation a line; level k is k operations.

    Deduction, abduction, induction and repair. `box` is where programs run and stays the caller's to close;
    `levels` are those that may be asked for; `style` is `compact` for small models or `natural` for language models.
    """

    name = NAME
    modes = MODES
    special = SPECIAL

    def __init__(
        self,
        box: Sandbox,
        levels: Sequence[int] = tuple(SIZES),
        style: Literal["compact", "natural"] = "compact",
    ) -> None:
        unknown = [level for level in levels if level not in SIZES]
        if unknown or not levels:
            raise DomainError(
                f"levels={list(levels)} of the python domain", f"give some of {min(SIZES)} to {max(SIZES)}"
            )
        if style not in _STYLES:
            raise DomainError(f"style={style!r} of the python domain", "give 'compact' or 'natural'")
        self.levels = tuple(levels)
        self._style: Style = _STYLES[style]()
        self._executor = Executor(box, bundled)
        self._admission = Admission(self._executor, plainest=self._style.plainest)

    def rules(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """One first task a cell, in order; fewer where the rules found none worth setting."""
        for cell in cells:
            self._check(cell)
        return [self._style.posed(task) for task in make_tasks(rng, cells, self._admission)]

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """A task or the reason why not, for each proposal."""
        for proposal in proposals:
            self._check(proposal.cell)
        written = [replace(p, text=self._style.proposal(p.text)) for p in proposals]
        found = self._admission.admit(written)
        return [self._style.posed(item) if isinstance(item, Task) else item for item in found]

    def judge(self, answers: Sequence[tuple[Task, str]]) -> list[Verdict]:
        """The executor's verdict on each answer (`answer` of a completion)."""
        return judging.judge(self._executor, answers)

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """The prompt for a proposer."""
        self._check(cell)
        return self._style.ask(cell, references)

    def proposal(self, task: Task) -> str:
        """The completion with which a proposer would have made this task."""
        return proposal_of(task)

    def worked(self, task: Task) -> str:
        """A right completion, working included."""
        return self._style.worked(task)

    def told(self, task: Task) -> list[tuple[int, int]]:
        """The parts of a prompt, in characters, that follow from the solution: outputs shown by an induction."""
        return told_spans(task)

    def answer(self, mode: str, completion: str) -> str:
        """The part of a completion that `judge` takes."""
        return self._style.answer(mode, completion)

    def form(self, mode: str) -> str:
        """The pattern that right completions of a mode match as a whole, for constrained decoding."""
        return self._style.forms[mode]

    def retry(self, task: Task, verdict: Verdict) -> str:
        """What its tests printed, after a failed program; empty for the modes of one turn."""
        return self._style.feedback(verdict.feedback) if task.mode in PROGRAMS else ""

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        """The task of mending a failed program, shown what its tests printed; None where none can start."""
        mended = mending(task, answer, verdict, lineage)
        return None if mended is None else self._style.posed(mended)

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """`count` texts of the rules: prompt and completion as one, by turns of every mode, level, role."""
        cells = [Cell(mode=mode, level=level) for level in self.levels for mode in self.modes]
        wanted = [cells[i % len(cells)] for i in range((count + 1) // 2)]
        texts: list[str] = []
        while len(texts) < count:
            tasks = self.rules(rng, wanted)
            if not tasks:
                raise DomainError(
                    "the rules of the python domain gave no task", "look at the sandbox's errors"
                )
            for i, task in enumerate(tasks):
                texts.append(task.prompt + self.worked(task))
                references = [tasks[i - n] for n in range(1, 1 + int(rng.integers(3)))]
                texts.append(self.ask(task.cell, references) + self.proposal(task))
        return texts[:count]

    def operations(self, level: int) -> tuple[Operation, ...]:
        """What a line of the rules can do at a level."""
        return operations(level)

    def describe(self) -> str:
        """The table of operations as text, for documentation."""
        rows = [
            f"{o.takes:>4} > {o.gives:<4}  {o.since}  {o.name:<20} {o.template}" for o in self.operations(8)
        ]
        return "\n".join(rows)

    def _check(self, cell: Cell) -> None:
        if cell.mode not in self.modes:
            raise DomainError(f"the python domain has no mode {cell.mode!r}", f"use {', '.join(self.modes)}")
        if cell.level not in self.levels:
            raise DomainError(
                f"the python domain was given no level {cell.level}",
                f"use {min(self.levels)} to {max(self.levels)}",
            )
