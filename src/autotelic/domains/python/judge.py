"""Is the answer right? The executor's verdict.

Answers are data: a deduction is compared and never run, an abduction is parsed as a literal and handed to the
task's own program, an induction is parsed, checked against the whitelist, and run on pairs of which half were
never shown. Comparison is of canonical JSON, outside the process that ran anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.domains.literal import LiteralError, canonical, parse_literal
from autotelic.domains.programs.execution import Ask, Executor, Outcome
from autotelic.domains.programs.inputs import small_enough
from autotelic.domains.programs.judge import RIGHT, wrong
from autotelic.domains.programs.judge import judge as judge_all
from autotelic.domains.programs.modes import PROGRAMS
from autotelic.domains.programs.source import ProgramError
from autotelic.domains.python.program import Program, parse_program
from autotelic.domains.python.tasks import feedback_text
from autotelic.types import Episode, Task, Verdict

Pending = tuple[None, Ask[Program]]


def judge(executor: Executor[Program], episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
    """One verdict an answer, in order."""
    return judge_all(executor, episodes, _read, _decide)


def _read(task: Task, text: str) -> Verdict | Pending:
    """The verdict where reading is enough, or what has to be run for it."""
    match task.mode:
        case "deduction":
            return _deduction(task, text)
        case "abduction":
            return _abduction(task, text)
        case _:
            return _induction(task, text)


def _deduction(task: Task, text: str) -> Verdict:
    expected = canonical(task.secret["pairs"][0][1])
    if text == expected:
        return RIGHT
    try:
        return RIGHT if canonical(parse_literal(text)) == expected else wrong("wrong")
    except LiteralError:
        return wrong("format")


def _abduction(task: Task, text: str) -> Verdict | Pending:
    try:
        given = parse_literal(text)
    except LiteralError:
        return wrong("format")
    if not small_enough(given, task.secret["kind"]):
        return wrong("format")
    if canonical(given) == canonical(task.secret["pairs"][0][0]):
        return RIGHT
    return None, Ask(program=parse_program(task.secret["program"]), inputs=(given,))


def _induction(task: Task, text: str) -> Verdict | Pending:
    try:
        program = parse_program(text)
    except ProgramError as error:
        reason = "format" if error.reason == "syntax" else error.reason
        return wrong(reason, feedback_text(task, Outcome(stop=error.reason)))
    return None, Ask(program=program, inputs=tuple(given for given, _ in task.secret["pairs"]))


def _decide(task: Task, known: None, outcome: Outcome) -> Verdict:
    program = task.mode in PROGRAMS
    if outcome.stop:
        return wrong(outcome.stop, feedback_text(task, outcome) if program else "")
    pairs = task.secret["pairs"] if program else task.secret["pairs"][:1]
    raised = any(isinstance(row, str) for row in outcome.rows)
    if not raised and all(
        repr(row[-1]) == repr(output) for row, (_, output) in zip(outcome.rows, pairs, strict=True)
    ):
        return RIGHT
    return wrong("error" if raised else "wrong", feedback_text(task, outcome) if program else "")
