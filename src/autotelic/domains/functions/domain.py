"""`FunctionsDomain`: functions with statements and tests of their own, behind the `Domain` seam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autotelic.domains.fences import last_block, without_fences
from autotelic.domains.functions import judge as judging
from autotelic.domains.functions.admission import Admission
from autotelic.domains.functions.execution import bundled
from autotelic.domains.functions.forms import FORMS
from autotelic.domains.functions.tasks import (
    MODES,
    NAME,
    PROGRAMS,
    answer_text,
    ask_text,
    mending,
    proposal_of,
    told_spans,
    worked_text,
)
from autotelic.domains.python.execution import Executor
from autotelic.domains.python.inputs import SIZES
from autotelic.domains.python.styles import input_text
from autotelic.errors import DomainError
from autotelic.sandbox import Sandbox
from autotelic.types import Cell, Lineage, Proposal, Rejection, Task, Verdict


class FunctionsDomain:
    """Python functions of one argument with `if`, `for` and `while`; level k takes k of these.

    Deduction, abduction, induction and repair. Whoever writes a function writes tests for it too: they are run beside
    those that were given, and what they print is what a repair starts from. For language models: tasks are in words.
    `box` is where functions run and stays the caller's to close; `levels` are those that may be asked for.
    """

    name = NAME
    modes = MODES
    special: tuple[str, ...] = ()

    def __init__(self, box: Sandbox, levels: Sequence[int] = tuple(SIZES), style: str = "natural") -> None:
        unknown = [level for level in levels if level not in SIZES]
        if unknown or not levels:
            raise DomainError(
                f"levels={list(levels)} of the functions domain", f"give some of {min(SIZES)} to {max(SIZES)}"
            )
        if style != "natural":
            raise DomainError(
                f"style={style!r} of the functions domain, whose tasks are in words",
                'set domain.style = "natural"; for a model that starts from nothing, domain.name = "python"',
            )
        self.levels = tuple(levels)
        self._executor = Executor(box, bundled)
        self._admission = Admission(self._executor)

    def rules(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """One first task a cell, in order; fewer where the rules found none worth setting."""
        for cell in cells:
            self._check(cell)
        return self._admission.rules(rng, cells)

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """A task or the reason why not, for each proposal."""
        for proposal in proposals:
            self._check(proposal.cell)
        return self._admission.admit([replace(p, text=without_fences(p.text)) for p in proposals])

    def judge(self, answers: Sequence[tuple[Task, str]]) -> list[Verdict]:
        """The executor's verdict on each answer (`answer` of a completion)."""
        return judging.judge(self._executor, answers)

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """The prompt for a proposer."""
        self._check(cell)
        return ask_text(cell, input_text(cell.level), references[:2])

    def proposal(self, task: Task) -> str:
        """The completion with which a proposer would have made this task."""
        return proposal_of(task)

    def worked(self, task: Task) -> str:
        """A right completion: working, or tests, included."""
        return worked_text(task)

    def told(self, task: Task) -> list[tuple[int, int]]:
        """The parts of a prompt, in characters, that follow from the solution: what given tests expect."""
        return told_spans(task)

    def answer(self, mode: str, completion: str) -> str:
        """The part of a completion that `judge` takes: out of its fence, or the last line."""
        if mode in PROGRAMS:
            return last_block(completion)
        return answer_text(mode, without_fences(completion))

    def form(self, mode: str) -> str:
        """The pattern that right completions of a mode match as a whole, for constrained decoding."""
        return FORMS[mode]

    def retry(self, task: Task, verdict: Verdict) -> str:
        """What its tests printed, after a failed program; empty for the modes of one turn."""
        return verdict.feedback if task.mode in PROGRAMS else ""

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        """The task of mending a failed program, shown what its tests printed; None where none can start."""
        return mending(task, answer, verdict, lineage)

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """`count` texts of the rules: prompt and completion as one, by turns of every mode and level."""
        cells = [Cell(mode=mode, level=level) for level in self.levels for mode in self.modes]
        texts: list[str] = []
        while len(texts) < count:
            tasks = self.rules(rng, [cells[i % len(cells)] for i in range(count)])
            if not tasks:
                raise DomainError(
                    "the rules of the functions domain gave no task", "look at the sandbox's errors"
                )
            texts += [task.prompt + self.worked(task) for task in tasks]
        return texts[:count]

    def _check(self, cell: Cell) -> None:
        if cell.mode not in self.modes:
            raise DomainError(
                f"the functions domain has no mode {cell.mode!r}", f"use {', '.join(self.modes)}"
            )
        if cell.level not in self.levels:
            raise DomainError(
                f"the functions domain was given no level {cell.level}",
                f"use {min(self.levels)} to {max(self.levels)}",
            )
