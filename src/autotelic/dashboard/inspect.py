"""One task, attempt, proposal, update, exam, message or generation of a run: what a link means.

    12            generation 12         attempt:340   proposal:12   update:7   message:99   exam:sealed
    3fa9c0        the task whose id begins like that (`task:` and `generation:` may be written too)

Links stay valid for ever: what a resume went back on is still found, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from autotelic.dashboard.generations import Generation
from autotelic.dashboard.story import Story
from autotelic.dashboard.wording import clock, count, decimal, percent
from autotelic.errors import RecordError
from autotelic.messages import ExamSet, Message, Updated
from autotelic.record import Journal, StoredEpisode
from autotelic.record.plain import to_json
from autotelic.types import Proposal, Task

Found = Task | StoredEpisode | Proposal | Generation | Message
LINKS = "a generation's number, a task's id, attempt:N, proposal:N, update:N, message:N or exam:NAME"
"""What `find` takes."""
_TABLES = {"attempt": "episodes", "proposal": "proposals", "update": "entries", "message": "messages"}
_LARGEST = 2**63 - 1
"""The largest number of a row."""


def find(journal: Journal, story: Story, what: str) -> Found:
    """What a person means by `what`. Raises RecordError when the run has no such thing."""
    kind, _, name = what.rpartition(":")
    if kind == "generation" or (not kind and name.isdecimal() and len(name) < 8):
        return _generation(journal, story, name)
    if kind in ("", "task"):
        return task_named(journal, name)
    if kind == "exam":
        return _exam(journal, name)
    if kind not in _TABLES:
        raise RecordError(f"{what} names no kind of thing", f"give {LINKS}")
    number = int(name) if name.isdecimal() else -1
    found = _numbered(journal, kind, number) if 0 <= number <= _LARGEST else None
    if found is None:
        has = journal.counts()[_TABLES[kind]]
        raise RecordError(f"the run has no {kind} {name!r} (it has {has})", "give one of those")
    return found


def as_json(found: Found) -> dict[str, Any]:
    """The thing as plain JSON: its class, with its kind."""
    if isinstance(found, Generation):
        # JSON's keys are strings, and a cell is none.
        cells = {str(cell): asdict(state) for cell, state in found.cells.items()}
        values = {"kind": "generation", **asdict(replace(found, cells={})), "cells": cells}
    elif isinstance(found, Message):
        names = [name for cls in type(found).__mro__ for name in getattr(cls, "__slots__", ())]
        values = {"kind": found.kind} | {name: _listed(getattr(found, name)) for name in names}
    else:
        kind = {Task: "task", StoredEpisode: "attempt", Proposal: "proposal"}[type(found)]
        values = {"kind": kind, **asdict(found)}
    plain: dict[str, Any] = json.loads(to_json(values))
    return plain


def overview(story: Story) -> str:
    """The run in a line a generation, to choose one from."""
    lines = [f"{'':>4}  {'time':>8}  {'tokens':>7}  {'valid':>6}  {'novel':>6}  {'actor':>6}  AUROC  verdict"]
    for g in story.generations:
        rulings = story.rulings_of(g.number)
        auroc = g.calibration.auroc if g.calibration else None
        lines.append(
            f"{g.number:>4}  {clock(g.ended):>8}  {count(g.total_tokens):>7}  "
            f"{percent(g.proposals.valid_share):>6}  {percent(g.proposals.novel_share):>6}  "
            f"{percent(g.actor_task_share):>6}  {decimal(auroc):>5}  {', '.join(r.verdict for r in rulings)}"
        )
    return "\n".join([*lines, "", f"To see one thing in full, give {LINKS}."])


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | tuple | list) else value


def _numbered(journal: Journal, kind: str, number: int) -> Found | None:
    if kind == "attempt":
        return journal.episode(number)
    if kind == "proposal":
        return journal.proposal(number)
    return journal.message(number) if kind == "message" else _update(journal, number)


def task_named(journal: Journal, name: str) -> Task:
    """The task of an id, or of how it begins. Raises RecordError where there is none, or more than one."""
    if task := journal.task(name):
        return task
    alike = {row["id"] for row in journal.each("tasks") if name and row["id"].startswith(name)}
    if not alike:
        raise RecordError(
            f"the run has no task {name!r}",
            "`autotelic inspect RUN GENERATION` lists the tasks of a generation",
        )
    if len(alike) > 1:
        raise RecordError(f"{len(alike)} tasks have an id that begins with {name!r}", "give more of it")
    return task_named(journal, alike.pop())


def _update(journal: Journal, step: int) -> Updated | None:
    """The update of a step; one that a resume went back on where it was not made again."""
    for superseded in (False, True):
        for message in journal.each_message(kinds=(Updated.kind,), superseded=superseded):
            if isinstance(message, Updated) and message.step == step:
                return message
    return None


def _exam(journal: Journal, name: str) -> ExamSet:
    """The exam of this name; one that a resume went back on where it was not set again."""
    exams = [
        exam
        for superseded in (False, True)
        for exam in journal.read(kinds=(ExamSet.kind,), superseded=superseded)
        if isinstance(exam, ExamSet)
    ]
    for exam in exams:
        if exam.exam == name:
            return exam
    has = " and ".join(dict.fromkeys(exam.exam for exam in exams)) or "none yet"
    raise RecordError(f"the run has no exam {name!r} (it has {has})", "give one of those")


def _generation(journal: Journal, story: Story, name: str) -> Generation:
    """The generation of this number; one that a resume went back on where there is no other."""
    number = int(name) if name.isdecimal() and len(name) < 19 else -1
    for generation in story.generations:
        if generation.number == number:
            return generation
    if number > 0:
        past = Story.of(journal.each_message(superseded=True, generation=number))
        if past.generations:
            return past.generations[-1]
    numbers = [g.number for g in story.generations]
    has = f"{numbers[0]} to {numbers[-1]}" if numbers else "none yet"
    raise RecordError(f"the run has no generation {name!r} (it has {has})", "give one of those")
