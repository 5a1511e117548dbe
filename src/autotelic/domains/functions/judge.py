"""Is the answer right? The executor's verdict.

As in `python/judge.py`: a deduction is compared and never run, an abduction is handed to the task's own function. A
program is run on pairs of which half were never shown, and on tests of its own: it must have one that it was not
given, and all must hold. What they all printed is what a repair starts from.
"""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.domains.functions.answers import Written, holds, parse_written
from autotelic.domains.functions.source import Function, parse_function
from autotelic.domains.functions.tasks import PROGRAMS, SHOWN, feedback_text
from autotelic.domains.literal import LiteralError, canonical, parse_literal
from autotelic.domains.python.execution import Ask, Executor, Outcome
from autotelic.domains.python.inputs import small_enough
from autotelic.domains.python.program import ProgramError
from autotelic.types import Task, Verdict

RIGHT = Verdict(reward=1.0, passed=True, reason="right")
Answer = tuple[Task, str]
Pending = tuple[Written | None, Ask[Function]]


def judge(executor: Executor[Function], answers: Sequence[Answer]) -> list[Verdict]:
    """One verdict an answer, in order. Siblings that answer alike are judged once, and everything that must
    be run is run in one batch.
    """
    keys = [(task.id, text) for task, text in answers]
    distinct = dict(zip(keys, answers, strict=True))
    read = {key: _read(task, text) for key, (task, text) in distinct.items()}
    pending = {key: found for key, found in read.items() if not isinstance(found, Verdict)}
    outcomes = executor.run([ask for _, ask in pending.values()])
    ran = dict(zip(pending, outcomes, strict=True))
    verdicts = {
        key: found if isinstance(found, Verdict) else _decide(distinct[key][0], found[0], ran[key])
        for key, found in read.items()
    }
    return [verdicts[key] for key in keys]


def _read(task: Task, text: str) -> Verdict | Pending:
    """The verdict where reading is enough, or what has to be run for it."""
    if task.mode in PROGRAMS:
        return _program(task, text)
    try:
        value = parse_literal(text)
    except LiteralError:
        return _wrong("format")
    given, output = task.secret["pairs"][0]
    if task.mode == "deduction":
        return RIGHT if canonical(value) == canonical(output) else _wrong("wrong")
    if canonical(value) == canonical(given):
        return RIGHT
    if not small_enough(value, task.secret["kind"]):
        return _wrong("format")
    return None, Ask(program=parse_function(task.secret["function"]), inputs=(value,))


def _program(task: Task, text: str) -> Verdict | Pending:
    try:
        written = parse_written(text)
    except ProgramError as error:
        reason = "format" if error.reason == "syntax" else error.reason
        return _wrong(reason, feedback_text(task, None, Outcome(stop=error.reason)))
    inputs = [given for given, _ in task.secret["pairs"]] + [given for given, _ in written.tests]
    return written, Ask(program=written.function, inputs=tuple(inputs))


def _decide(task: Task, written: Written | None, outcome: Outcome) -> Verdict:
    if written is None:
        row: object = "" if outcome.stop else outcome.rows[0]
        if outcome.stop or isinstance(row, str):
            return _wrong(outcome.stop or "error")
        right = holds((None, task.secret["pairs"][0][1]), outcome.rows[0])
        return RIGHT if right else _wrong("wrong")
    printed = feedback_text(task, written, outcome)
    if outcome.stop:
        return _wrong(outcome.stop, printed)
    pairs = [(a, b) for a, b in task.secret["pairs"]]
    rows, own = outcome.rows[: len(pairs)], outcome.rows[len(pairs) :]
    if not all(holds(pair, row) for pair, row in zip(pairs, rows, strict=True)):
        return _wrong("error" if any(isinstance(row, str) for row in rows) else "wrong", printed)
    known = {repr(given) for given, _ in pairs[:SHOWN]}
    if all(repr(given) in known for given, _ in written.tests):
        return _wrong("tests", printed)  # none of its own
    return RIGHT if all(map(holds, written.tests, own)) else _wrong("tests", printed)


def _wrong(reason: str, feedback: str = "") -> Verdict:
    """No partial credit: a share of the pairs passed can be had without understanding any of them."""
    return Verdict(reward=0.0, passed=False, reason=reason, feedback=feedback)
