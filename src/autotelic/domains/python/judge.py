"""Is the answer right? The executor's verdict.

Answers are data: a deduction is compared and never run, an abduction is parsed as a literal and handed to the
task's own program, an induction is parsed, checked against the whitelist, and run on pairs of which half were
never shown. Comparison is of canonical JSON, outside the process that ran anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.domains.literal import LiteralError, canonical, parse_literal
from autotelic.domains.python.execution import Ask, Executor, Outcome
from autotelic.domains.python.inputs import small_enough
from autotelic.domains.python.program import Program, ProgramError, parse_program
from autotelic.domains.python.tasks import feedback_text
from autotelic.types import Task, Verdict

RIGHT = Verdict(reward=1.0, passed=True, reason="right")
Answer = tuple[Task, str]


def judge(executor: Executor[Program], answers: Sequence[Answer]) -> list[Verdict]:
    """One verdict an answer, in order. Siblings that answer alike are judged once, and everything that must
    be run is run in one batch.
    """
    keys = [(task.id, text) for task, text in answers]
    pending: dict[tuple[str, str], tuple[Task, Ask[Program]]] = {}
    verdicts: dict[tuple[str, str], Verdict] = {}
    for key, (task, text) in zip(keys, answers, strict=True):
        if key in verdicts or key in pending:
            continue
        found = _read(task, text)
        if isinstance(found, Ask):
            pending[key] = (task, found)
        else:
            verdicts[key] = found
    outcomes = executor.run([ask for _, ask in pending.values()])
    for (key, (task, _)), outcome in zip(pending.items(), outcomes, strict=True):
        verdicts[key] = _decide(task, outcome)
    return [verdicts[key] for key in keys]


def _read(task: Task, text: str) -> Verdict | Ask[Program]:
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
        return RIGHT if canonical(parse_literal(text)) == expected else _wrong("wrong")
    except LiteralError:
        return _wrong("format")


def _abduction(task: Task, text: str) -> Verdict | Ask[Program]:
    try:
        given = parse_literal(text)
    except LiteralError:
        return _wrong("format")
    if not small_enough(given, task.secret["kind"]):
        return _wrong("format")
    if canonical(given) == canonical(task.secret["pairs"][0][0]):
        return RIGHT
    return Ask(program=parse_program(task.secret["program"]), inputs=(given,))


def _induction(task: Task, text: str) -> Verdict | Ask[Program]:
    try:
        program = parse_program(text)
    except ProgramError as error:
        reason = "format" if error.reason == "syntax" else error.reason
        return _wrong(reason, feedback_text(task, Outcome(stop=error.reason)))
    return Ask(program=program, inputs=tuple(given for given, _ in task.secret["pairs"]))


def _decide(task: Task, outcome: Outcome) -> Verdict:
    program = task.mode in ("induction", "repair")
    if outcome.stop:
        return _wrong(outcome.stop, feedback_text(task, outcome) if program else "")
    pairs = task.secret["pairs"] if program else task.secret["pairs"][:1]
    raised = any(isinstance(row, str) for row in outcome.rows)
    if not raised and all(
        repr(row[-1]) == repr(output) for row, (_, output) in zip(outcome.rows, pairs, strict=True)
    ):
        return RIGHT
    return _wrong("error" if raised else "wrong", feedback_text(task, outcome) if program else "")


def _wrong(reason: str, feedback: str = "") -> Verdict:
    """No partial credit: a share of the pairs passed can be had without understanding any of them."""
    return Verdict(reward=0.0, passed=False, reason=reason, feedback=feedback)
