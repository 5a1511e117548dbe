"""`PythonDomain`: real Python, run for real, behind the `Domain` seam."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Literal

import numpy as np

from autotelic.domains.cells import check_cell, check_spec
from autotelic.domains.programs.execution import Executor
from autotelic.domains.programs.inputs import SIZES
from autotelic.domains.programs.modes import MODES, PRACTISED, PROGRAMS, SHOWN, same_value
from autotelic.domains.programs.source import ProgramError
from autotelic.domains.python import judge as judging
from autotelic.domains.python.admission import Admission
from autotelic.domains.python.execution import bundled
from autotelic.domains.python.operations import OPERATIONS
from autotelic.domains.python.program import parse_program
from autotelic.domains.python.styles import Compact, Natural, Style
from autotelic.domains.python.tasks import (
    NAME,
    SPECIAL,
    bare_answer,
    learned_spans,
    posed,
    proposal_of,
    repair_of,
)
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

DRAWS = 8
"""Other tasks that are tried for an answer that behaves otherwise: few cells have that many alike."""
_STYLES: dict[str, type[Compact] | type[Natural]] = {"compact": Compact, "natural": Natural}


class PythonDomain:
    """Straight-line Python of one argument, one operation a line; level k is k operations.

    Deduction, abduction, induction and repair. `sandbox` is where programs run and stays the caller's to
    close. `levels` are those that may be asked for, `modes` those that are practised. `style` is `compact`
    for small models or `natural` for language models. Raises DomainError for a level, a mode or a style that
    there is not.
    """

    special = SPECIAL

    def __init__(
        self,
        sandbox: Sandbox,
        levels: Sequence[int] = tuple(SIZES),
        style: Literal["compact", "natural"] = "compact",
        modes: Sequence[str] = PRACTISED,
    ) -> None:
        spec = Spec(name=NAME, modes=tuple(modes), levels=tuple(levels))
        self.spec = check_spec(spec, modes=MODES, levels=SIZES)
        # Repairs are written in every run, so their texts are known to the tokenizer though none may be
        # practised.
        self._whole = replace(self.spec, modes=MODES)
        if style not in _STYLES:
            raise DomainError(f"style={style!r} of the python domain", "give 'compact' or 'natural'")
        self._style: Style = _STYLES[style]()
        self._executor = Executor(sandbox, bundled)
        self._admission = Admission(self._executor, plainest=self._style.plainest)

    def tasks(self, rng: np.random.Generator, cells: Sequence[Cell]) -> list[Task]:
        """One task of the rules a cell, in order; fewer where they found none worth setting."""
        for cell in cells:
            check_cell(self._whole, cell)
        return [self._style.styled(task) for task in self._admission.rules(rng, cells)]

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """What running says of each answer (`answer` of a completion)."""
        return judging.judge(self._executor, episodes)

    def check(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict | None]:
        """A program on the calls that its task shows, an argument in the program that is given; a deduction shows
        nothing but the program to be understood.
        """
        shown = [(_shown(task), episode) for task, episode in episodes if task.mode != "deduction"]
        verdicts = iter(judging.judge(self._executor, shown))
        return [None if task.mode == "deduction" else next(verdicts) for task, _ in episodes]

    def pose(self, text: str) -> Task:
        """The induction that calls put, one a line: `f([1,2])==3`."""
        return self._style.styled(posed(text))

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        """The prompt for a proposer."""
        check_cell(self._whole, cell)
        return self._style.ask(cell, references)

    def proposal(self, task: Task) -> str:
        """The completion with which a proposer would have made this task."""
        return proposal_of(task)

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        """A task or the reason why not, for each proposal."""
        for proposal in proposals:
            check_cell(self._whole, proposal.cell)
        written = [replace(p, text=self._style.proposal(p.text)) for p in proposals]
        found = self._admission.admit(written)
        return [self._style.styled(item) if isinstance(item, Task) else item for item in found]

    def demonstrate(self, tasks: Sequence[Task]) -> list[Demonstration | None]:
        """A right completion of each task, working included."""
        return [
            Demonstration(completion=self._style.demonstration(task), told=learned_spans(task))
            for task in tasks
        ]

    def answers(self, tasks: Sequence[Task], rng: np.random.Generator) -> list[str | None]:
        """The program, value or argument of another of these tasks, without working; None where all behave alike."""
        mates = {mode: [task for task in tasks if task.mode == mode] for mode in self.spec.modes}
        found: list[str | None] = []
        for task in tasks:
            drawn = [mates[task.mode][int(i)] for i in rng.integers(len(mates[task.mode]), size=DRAWS)]
            others = [other for other in drawn if other.signature != task.signature]
            found.append(bare_answer(others[0]) if others else None)
        return found

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task | None:
        """The task of repairing a failed program, shown what its tests printed; None where none can start."""
        found = repair_of(task, answer, verdict, lineage)
        return None if found is None else self._style.styled(found)

    def answer(self, mode: str, completion: str) -> str:
        """The part of a completion that `judge` reads."""
        return self._style.answer(mode, completion)

    def same(self, mode: str, answer: str) -> str:
        """One spelling for equal answers: the value, or the program without comments. What cannot be read has
        no vote.
        """
        if mode not in PROGRAMS:
            return same_value(answer)
        try:
            return str(parse_program(answer))
        except ProgramError:
            return ""

    def form(self, mode: str) -> str:
        """The pattern that right completions of a mode match as a whole."""
        return self._style.forms[mode]

    def corpus(self, rng: np.random.Generator, count: int) -> list[str]:
        """`count` texts of the rules, of every mode and level, of solver and proposer in turn."""
        return corpus_of(self, rng, count, self._whole.cells)


def _shown(task: Task) -> Task:
    """The task without the pairs that are held back."""
    return replace(task, secret={**task.secret, "pairs": task.secret["pairs"][:SHOWN]}, id="")


def describe() -> str:
    """The table of operations as text, for documentation."""
    return "\n".join(f"{o.takes:>4} > {o.gives:<4}  {o.since}  {o.name:<20} {o.template}" for o in OPERATIONS)
