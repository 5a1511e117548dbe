"""A few tasks and attempts to look at: what the numbers are numbers of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.record import Record, StoredAttempt
from autotelic.types import RULES, Cell, Task

_GENERATIONS_SEARCHED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One attempt at one task, as text."""

    task_id: str
    cell: Cell
    role: str
    author: str
    prompt: str
    generation: int
    completion: str
    passed: bool
    reason: str


def choose(record: Record, generations: Sequence[int]) -> list[Specimen]:
    """For each role and mode the hardest attempt of the last generations that passed, and one that failed.

    Which of equals is chosen is decided by the order of the record, so a report made again is the same.
    """
    best: dict[tuple[str, str, bool], tuple[Task, StoredAttempt]] = {}
    tasks: dict[str, Task | None] = {}
    for generation in sorted(generations)[-_GENERATIONS_SEARCHED:]:
        for stored in record.attempts(generation=generation):
            id_ = stored.attempt.task_id
            if id_ not in tasks:
                tasks[id_] = record.task(id_)
            task = tasks[id_]
            if task is None:
                continue
            place = (stored.role, task.mode, stored.verdict.passed)
            if place not in best or task.level >= best[place][0].level:
                best[place] = (task, stored)
    ordered = sorted(best.items(), key=lambda item: (item[0][0] != "solver", item[0][1], not item[0][2]))
    return [specimen(task, stored) for _, (task, stored) in ordered]


def specimen(task: Task, stored: StoredAttempt) -> Specimen:
    """The attempt as text: of several turns, all that was written, in order."""
    written = [completion for _, completion in stored.texts] or [stored.attempt.answer]
    return Specimen(
        task_id=task.id,
        cell=task.cell,
        role=stored.role,
        author=author_of(task),
        prompt=stored.texts[0][0] if stored.texts else task.prompt,
        generation=stored.generation,
        completion="\n\n".join(written),
        passed=stored.verdict.passed,
        reason=stored.verdict.reason,
    )


def author_of(task: Task) -> str:
    """Who wrote a task, in words."""
    author = task.lineage.author
    return "the rules" if author == RULES else f"the actor (weights {author[:12]})"
