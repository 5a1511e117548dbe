"""`FunctionsDomain`: functions with statements and tests of their own, behind the `Domain` seam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autotelic.domains.answers import value_line
from autotelic.domains.cells import check_cell, check_spec
from autotelic.domains.fences import program_block
from autotelic.domains.functions import judge as judging
from autotelic.domains.functions.admission import Admission
from autotelic.domains.functions.answers import parse_written
from autotelic.domains.functions.execution import bundled
from autotelic.domains.functions.forms import FORMS
from autotelic.domains.functions.tasks import (
    NAME,
    ask_text,
    demonstration_text,
    learned_spans,
    proposal_of,
    repair_of,
)
from autotelic.domains.programs.execution import Executor
from autotelic.domains.programs.inputs import SIZES, input_text
from autotelic.domains.programs.modes import MODES, PRACTISED, PROGRAMS, same_value
from autotelic.domains.programs.source import ProgramError
from autotelic.domains.texts import corpus_of
from autotelic.errors import DomainError
from autotelic.sandbox import Sandbox
from autotelic.types import (
    Cell,
    Demonstration,
    Episode,
    Lineage,
    Proposal,
    Rejection,
    Spec,
    Task,
    Verdict,
)


class FunctionsDomain:
    """Python functions of one argument with `if`, `for` and `while`; level k takes k of these.

    Deduction, abduction, induction and repair. Whoever writes a function writes tests for it too: they are
    run beside those that were given, and what they print is what a repair starts from. For language models:
    tasks are in words. `sandbox` is where functions run and stays the caller's to close. `levels` are those
    that may be asked for, `modes` those that are practised. Raises DomainError for a level, a mode or a style
    that there is not.
    """

    special: tuple[str, ...] = ()

    def __init__(
        self,
        sandbox: Sandbox,
        levels: Sequence[int] = tuple(SIZES),
        style: str = "natural",
        modes: Sequence[str] = PRACTISED,
    ) -> None:
        spec = Spec(name=NAME, modes=tuple(modes), levels=tuple(levels))
        self.spec = check_spec(spec, modes=MODES, levels=SIZES)
        self._whole = replace(self.spec, modes=MODES)
        if style != "natural":
            raise DomainError(
                f"style={style!r} of the functions domain, whose tasks are in words",
                'set domain.style = "natural"; for a model that starts from nothing, domain.name = "python"',
            )
        self._executor = Executor(sandbox, bundled)
        self._admission = Admission(self._executor)

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """One task of the rules a cell, in order; fewer where they found none worth setting."""
        for cell in cells:
            check_cell(self._whole, cell)
        return self._admission.rules(rng, cells)

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """What running says of each answer (`answer` of a completion)."""
        return judging.judge(self._executor, episodes)

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """The prompt for a proposer."""
        check_cell(self._whole, cell)
        return ask_text(cell, input_text(cell.level), references[:2])

    def proposal(self, task: Task) -> str:
        """The completion with which a proposer would have made this task."""
        return proposal_of(task)

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """A task or the reason why not, for each proposal."""
        for proposal in proposals:
            check_cell(self._whole, proposal.cell)
        return self._admission.admit(
            [replace(p, text=program_block(p.text, tests=True, call=True)) for p in proposals]
        )

    def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        """A right completion of each task: working, or tests, included."""
        return [Demonstration(completion=demonstration_text(t), told=learned_spans(t)) for t in tasks]

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        """The task of repairing a failed program, shown what its tests printed; None where none can start."""
        return repair_of(task, answer, verdict, lineage)

    def answer(self, mode: str, completion: str) -> str:
        """The part of a completion that `judge` reads: out of its fence, or the last line."""
        if mode in PROGRAMS:
            return program_block(completion, tests=True)
        return value_line(mode, completion)

    def same(self, mode: str, answer: str) -> str:
        """One spelling for equal answers: the value, or the function without its tests. What cannot be read
        has none.
        """
        if mode not in PROGRAMS:
            return same_value(answer)
        try:
            return str(parse_written(answer).function)
        except ProgramError:
            return ""

    def form(self, mode: str) -> str:
        """The pattern that right completions of a mode match as a whole."""
        return FORMS[mode]

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """`count` texts of the rules, of every mode and level, of solver and proposer in turn."""
        return corpus_of(self, rng, count, self._whole.cells)
