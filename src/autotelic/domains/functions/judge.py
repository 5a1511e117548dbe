"""Is the answer right? The executor's verdict.

As in `python/judge.py`: a deduction is compared and never run, an abduction is handed to the task's own
function. A program is run on pairs of which half were never shown, and on tests of its own: it must have one
that it was not given, and all must hold. What they all printed is what a repair starts from.
"""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.domains.functions.answers import Written, holds, parse_written
from autotelic.domains.functions.source import Function, parse_function
from autotelic.domains.functions.tasks import feedback_text
from autotelic.domains.literal import LiteralError, canonical, parse_literal
from autotelic.domains.programs.execution import Ask, Executor, Outcome
from autotelic.domains.programs.inputs import small_enough
from autotelic.domains.programs.judge import RIGHT, wrong
from autotelic.domains.programs.judge import judge as judge_all
from autotelic.domains.programs.modes import PROGRAMS, SHOWN
from autotelic.domains.programs.source import ProgramError
from autotelic.types import Episode, Task, Verdict

Pending = tuple[Written | None, Ask[Function]]


def judge(executor: Executor[Function], episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
    """One verdict an answer, in order."""
    return judge_all(executor, episodes, _read, _decide)


def _read(task: Task, text: str) -> Verdict | Pending:
    """The verdict where reading is enough, or what has to be run for it."""
    if task.mode in PROGRAMS:
        return _program(task, text)
    try:
        value = parse_literal(text)
    except LiteralError:
        return wrong("format")
    given, output = task.secret["pairs"][0]
    if task.mode == "deduction":
        return RIGHT if canonical(value) == canonical(output) else wrong("wrong")
    if canonical(value) == canonical(given):
        return RIGHT
    if not small_enough(value, task.secret["kind"]):
        return wrong("format")
    return None, Ask(program=parse_function(task.secret["function"]), inputs=(value,))


def _program(task: Task, text: str) -> Verdict | Pending:
    try:
        written = parse_written(text)
    except ProgramError as error:
        reason = "format" if error.reason == "syntax" else error.reason
        return wrong(reason, feedback_text(task, None, Outcome(stop=error.reason)))
    inputs = [given for given, _ in task.secret["pairs"]] + [given for given, _ in written.tests]
    return written, Ask(program=written.function, inputs=tuple(inputs))


def _decide(task: Task, written: Written | None, outcome: Outcome) -> Verdict:
    if written is None:
        row: object = "" if outcome.stop else outcome.rows[0]
        if outcome.stop or isinstance(row, str):
            return wrong(outcome.stop or "error")
        right = holds((None, task.secret["pairs"][0][1]), outcome.rows[0])
        return RIGHT if right else wrong("wrong")
    printed = feedback_text(task, written, outcome)
    if outcome.stop:
        return wrong(outcome.stop, printed)
    pairs = [(a, b) for a, b in task.secret["pairs"]]
    rows, own = outcome.rows[: len(pairs)], outcome.rows[len(pairs) :]
    if not all(holds(pair, row) for pair, row in zip(pairs, rows, strict=True)):
        return wrong("error" if any(isinstance(row, str) for row in rows) else "wrong", printed)
    known = {repr(given) for given, _ in pairs[:SHOWN]}
    if all(repr(given) in known for given, _ in written.tests):
        return wrong("tests", printed)  # none of its own
    return RIGHT if all(map(holds, written.tests, own)) else wrong("tests", printed)
