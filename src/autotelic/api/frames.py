"""What a run has recorded, as data frames of pandas, which is imported here alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autotelic.errors import RecordError
from autotelic.messages import Evaluated
from autotelic.record import Journal
from autotelic.record.nouns import prompt_of
from autotelic.record.plain import untext
from autotelic.types import Cell, Score, text_of

if TYPE_CHECKING:
    from pandas import DataFrame

TASKS = (
    "id",
    "generation",
    "domain",
    "mode",
    "level",
    "prompt",
    "author",
    "is_repair",
    "signature",
    "superseded",
)
ATTEMPTS = (
    "id",
    "generation",
    "task",
    "mode",
    "level",
    "purpose",
    "role",
    "answer",
    "ending",
    "reward",
    "passed",
    "reason",
    "advantage",
    "superseded",
)
EXAMS = (
    "message",
    "generation",
    "exam",
    "when",
    "tokens",
    "seconds",
    "weights",
    "digest",
    "cell",
    "mode",
    "level",
    "items",
    "pass_at_1",
    "low",
    "high",
    "sampled_at_1",
    "pass_at_8",
    "best_of_8",
)


def tasks(folder: Path) -> DataFrame:
    """One row a task that the run has recorded, in order; the columns `TASKS`."""
    query = (
        "SELECT id, generation, domain, mode, level, prompt, author, is_repair, signature, message "
        "FROM tasks ORDER BY row"
    )
    with Journal.open(folder) as journal:
        gone = _superseded(journal)
        rows = [
            (*head, text_of(prompt_of(prompt)), author, bool(repair), untext(signature), message in gone)
            for *head, prompt, author, repair, signature, message in journal.select(query)
        ]
    return _frame(rows, TASKS)


def attempts(folder: Path) -> DataFrame:
    """One row an attempt, in order, with its last verdict and what credit made of it; the columns `ATTEMPTS`.

    `passed` is missing where there is no such thing as success, `reward` and `advantage` where none was given.
    """
    query = (
        "SELECT e.row, e.generation, e.task, t.mode, t.level, e.purpose, e.role, e.answer, e.ending, "
        "v.reward, v.passed, v.reason, c.advantage, e.message "
        "FROM episodes e "
        "LEFT JOIN tasks t ON t.row = (SELECT max(row) FROM tasks WHERE id = e.task) "
        "LEFT JOIN verdicts v ON v.row = (SELECT max(row) FROM verdicts WHERE episode = e.row) "
        "LEFT JOIN credits c ON c.row = (SELECT max(row) FROM credits WHERE ref = e.row AND role = 'solver') "
        "ORDER BY e.row"
    )
    with Journal.open(folder) as journal:
        gone = _superseded(journal)
        rows = [
            (
                *head,
                untext(answer),
                ending,
                None if reward is None else float(reward),
                None if passed is None else bool(passed),
                None if reason is None else untext(reason),
                _mean(advantage),
                message in gone,
            )
            for *head, answer, ending, reward, passed, reason, advantage, message in journal.select(query)
        ]
    return _frame(rows, ATTEMPTS)


def exams(folder: Path) -> DataFrame:
    """One row a cell of each evaluation, and one with the cell `all`; the columns `EXAMS`. Shares are in [0, 1]."""
    with Journal.open(folder) as journal:
        rows = [
            row
            for message in journal.each_message(kinds=(Evaluated.kind,))
            if isinstance(message, Evaluated)
            for row in _cells(message)
        ]
    return _frame(rows, EXAMS)


def _cells(found: Evaluated) -> Iterator[tuple[Any, ...]]:
    report = found.report
    head = (found.id, found.generation, report.exam, found.when, found.tokens, found.seconds)
    for name, scores in {"all": report.overall, **report.cells}.items():
        cell = None if name == "all" else Cell.parse(name)
        one = scores.pass_at_1
        yield (
            *head,
            report.weights,
            report.digest,
            name,
            cell and cell.mode,
            cell and cell.level,
            one.n,
            one.value,
            one.low,
            one.high,
            _value(scores.sampled_at_1),
            _value(scores.pass_at_8),
            _value(scores.best_of_8),
        )


def _value(score: Score | None) -> float | None:
    return None if score is None else score.value


def _mean(advantage: Any) -> float | None:
    """One number, also where each token has its own: then the mean."""
    if isinstance(advantage, bytes):
        import numpy as np

        return float(np.frombuffer(advantage, "<f8").mean())
    return None if advantage is None else float(advantage)


def _superseded(journal: Journal) -> frozenset[int]:
    """The ids of the messages that a resume went back on."""
    ids = {id_ for first, last in journal.ranges() for id_ in range(first, last + 1)}
    return frozenset(id_ for id_ in ids if journal.is_superseded(id_))


def _frame(rows: list[tuple[Any, ...]], columns: tuple[str, ...]) -> DataFrame:
    try:
        import pandas
    except ImportError:
        raise RecordError("data frames need pandas, which is not installed", "`pip install pandas`") from None
    return pandas.DataFrame.from_records(rows, columns=list(columns))
