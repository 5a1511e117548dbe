"""One task, attempt or generation of a run, in full and in plain words.

12            generation 12         attempt:340   the attempt of that number
3fa9c0        the task whose id begins like that (`task:` and `generation:` may be written too)
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace
from textwrap import indent
from typing import Any

from autotelic.dashboard.specimens import author_of
from autotelic.dashboard.story import Generation, Story
from autotelic.dashboard.wording import clock, count, decimal, interval, percent
from autotelic.errors import RecordError
from autotelic.record import Record, StoredAttempt
from autotelic.types import Task

Found = Task | StoredAttempt | Generation
_JUDGES = {
    "verifier": "the executor",
    "critic": "the critic",
    "consensus": "the majority of its siblings",
    "certainty": "its own certainty",
}
_LISTED = 12


def find(record: Record, story: Story, what: str) -> Found:
    """What a person means by `what`. Raises `RecordError` when the run has no such thing."""
    kind, _, name = what.rpartition(":")
    if kind == "attempt":
        return _attempt(record, name)
    if kind == "generation" or (not kind and name.isdecimal() and len(name) < 8):
        return _generation(story, name)
    if kind in ("", "task"):
        return _task(record, name)
    raise RecordError(
        f"{what} names no kind of thing", "give a task's id, a generation's number, or attempt:NUMBER"
    )


def describe(record: Record, story: Story, found: Found) -> str:
    """The thing as text, for a terminal or a page."""
    if isinstance(found, Task):
        lines = _tell_task(record, found)
    elif isinstance(found, StoredAttempt):
        lines = _tell_attempt(record, found)
    else:
        lines = _tell_generation(record, story, found)
    return "\n".join(lines)


def as_json(found: Found) -> dict[str, Any]:
    """The thing as plain JSON."""
    if isinstance(found, Generation):
        # JSON's keys are strings, and a cell is none.
        cells = {str(cell): asdict(state) for cell, state in found.cells.items()}
        return {"kind": "generation", **asdict(replace(found, cells={})), "cells": cells}
    return {"kind": "task" if isinstance(found, Task) else "attempt", **asdict(found)}


def overview(story: Story) -> str:
    """The run in a line a generation, to choose one from."""
    lines = [f"{'':>4}  {'time':>8}  {'tokens':>7}  {'valid':>6}  {'novel':>6}  {'actor':>6}  AUROC  verdict"]
    for g in story.generations:
        asked, valid = g.proposals.asked, g.proposals.valid
        ruling = story.ruling(g.number)
        lines.append(
            f"{g.number:>4}  {clock(g.ended):>8}  {count(g.total_tokens):>7}  "
            f"{percent(valid / asked if asked else None):>6}  "
            f"{percent(g.proposals.novel / valid if valid else None):>6}  {percent(g.actor_task_share):>6}  "
            f"{decimal(g.critic.get('auroc')):>5}  {ruling.verdict if ruling else ''}"
        )
    return "\n".join(
        [*lines, "", "Give a generation's number, a task's id, or attempt:NUMBER to see it in full."]
    )


def _task(record: Record, name: str) -> Task:
    if task := record.task(name):
        return task
    alike = [row["id"] for row in record.each("tasks") if name and row["id"].startswith(name)]
    if not alike:
        raise RecordError(
            f"the run has no task {name!r}",
            "`autotelic inspect RUN GENERATION` lists the tasks of a generation",
        )
    if len(alike) > 1:
        raise RecordError(f"{len(alike)} tasks have an id that begins with {name!r}", "give more of it")
    return _task(record, alike[0])


def _attempt(record: Record, name: str) -> StoredAttempt:
    for row in record.each("attempts") if name.isdecimal() else ():
        if row["id"] == int(name):
            return next(a for a in record.attempts(task_id=row["task"]) if a.id == row["id"])
    raise RecordError(
        f"the run has no attempt {name!r} (it has {record.counts()['attempts']})",
        "`autotelic inspect RUN TASK` lists the attempts at a task with their numbers",
    )


def _generation(story: Story, name: str) -> Generation:
    for generation in story.generations:
        if name.isdecimal() and generation.number == int(name):
            return generation
    numbers = [g.number for g in story.generations]
    has = f"{numbers[0]} to {numbers[-1]}" if numbers else "none yet"
    raise RecordError(f"the run has no generation {name!r} (it has {has})", "give one of those")


def _tell_task(record: Record, task: Task) -> Iterator[str]:
    lineage = task.lineage
    yield f"Task {task.id}, {task.cell}, domain {task.domain}"
    yield f"  Written by {author_of(task)} in generation {lineage.generation}."
    if lineage.references:
        yield f"  Its writer was shown: {', '.join(lineage.references)}."
    yield f"  Behaves like {task.signature}" + (f", cluster {task.cluster!r}." if task.cluster else ".")
    yield from ("", "What the solver sees")
    yield _quoted(task.prompt)
    yield from ("", "What only the judge knows")
    for name, value in task.secret.items():
        yield f"  {name}:"
        yield _quoted(_secret(value))
    attempts = record.attempts(task_id=task.id)
    passed = sum(a.verdict.passed for a in attempts)
    yield ""
    yield f"Attempts: {len(attempts)}" + (
        f", of which {passed} passed ({percent(passed / len(attempts))})" if attempts else ""
    )
    for stored in attempts[:_LISTED]:
        yield f"  attempt:{stored.id}  generation {stored.generation}, {stored.role}: {_outcome(stored)}"
        yield _quoted(stored.attempt.answer, "      | ")
    if len(attempts) > _LISTED:
        yield f"  and {len(attempts) - _LISTED} more"


def _tell_attempt(record: Record, stored: StoredAttempt) -> Iterator[str]:
    attempt, verdict = stored.attempt, stored.verdict
    task = record.task(attempt.task_id)
    about = f", {task.cell}, written by {author_of(task)}" if task else ", which is not in the record"
    yield f"Attempt {stored.id} as {stored.role}, in generation {stored.generation}"
    yield f"  at task {attempt.task_id}{about}"
    for number, turn in enumerate(attempt.turns, start=1):
        ended = "ended by itself" if turn.stop == "eos" else "was cut off at the longest length"
        certain = sum(turn.logprobs) / len(turn.logprobs) if turn.logprobs else None
        yield ""
        yield (
            f"Turn {number} of {len(attempt.turns)}: {len(turn.prompt_ids)} tokens in, "
            f"{len(turn.completion_ids)} out, {ended}; mean log-probability {decimal(certain)}; "
            f"weights {turn.weights[:12]}"
        )
        if number <= len(stored.texts):
            prompt, completion = stored.texts[number - 1]
            yield "  it saw"
            yield _quoted(prompt)
            yield "  it wrote"
            yield _quoted(completion)
    yield from ("", "What was judged")
    yield _quoted(attempt.answer)
    yield from ("", f"Verdict: {_outcome(stored)}")
    if verdict.feedback:
        yield "  and said"
        yield _quoted(verdict.feedback)


def _tell_generation(record: Record, story: Story, told: Generation) -> Iterator[str]:
    yield f"Generation {told.number}" + (", bootstrap: every task from the rules" if told.bootstrap else "")
    stages = ", ".join(f"{stage} {clock(seconds)}" for stage, seconds in told.stage_seconds.items())
    yield f"  Took {clock(told.seconds)}: {stages}."
    yield ""
    yield "Learned"
    yield f"  from {count(told.trained)} tokens, {percent(told.actor_task_share)} of it the actor's own work,"
    yield f"  after decoding {count(told.decoded)}; {count(told.total_tokens)} tokens since the run began."
    measured = (f"{name} {decimal(value, 3)}" for name, value in told.learn.items() if value is not None)
    yield f"  {', '.join(measured)}"
    if told.critic:
        measured = (f"{name} {decimal(value, 3)}" for name, value in told.critic.items() if value is not None)
        yield f"  critic, on attempts it had not learned from: {', '.join(measured)}"
    yield from ("", "Proposed")
    made = told.proposals
    yield f"  {made.asked} asked, {made.valid} valid, {made.novel} new in what they do, {made.admitted} taken"
    yield from (f"  refused {n}: {reason}" for reason, n in made.reasons.items())
    yield from ("", "Practised (share of tasks, success, expected gain)")
    for cell, state in told.cells.items():
        yield f"  {cell!s:<14} {percent(state.share):>6}  {percent(state.p):>6}  {decimal(state.gain, 3):>7}"
    yield from ("", "Dropped")
    yield f"  {told.groups_dropped} groups whose attempts all fared alike ({told.groups_kept} kept)"
    yield from (f"  {d.n} {d.what}: {d.why}" for d in story.drops if d.generation == told.number)
    for sitting in (s for s in story.sittings if s.generation == told.number):
        yield from ("", f"Exam {sitting.exam} ({sitting.when}): {interval(sitting.pass_at_1, 1)}")
        yield from (f"  {cell!s:<14} {interval(score)}" for cell, score in sitting.cells.items())
    if ruling := story.ruling(told.number):
        yield from ("", f"Decided: {ruling.verdict}", *(f"  because {reason}" for reason in ruling.reasons))
        yield f"  from {json.dumps(dict(ruling.inputs), sort_keys=True)[:600]}"
    tasks = record.tasks_of(told.number)
    yield from ("", f"New tasks: {len(tasks)}")
    yield from (f"  {task.id}  {task.cell!s:<14} by {author_of(task)}" for task in tasks[:_LISTED])
    if len(tasks) > _LISTED:
        yield f"  and {len(tasks) - _LISTED} more"


def _outcome(stored: StoredAttempt) -> str:
    verdict = stored.verdict
    judge = _JUDGES.get(verdict.source, verdict.source)
    right = "right" if verdict.passed else "wrong"
    reason = f" ({verdict.reason})" if verdict.reason else ""
    return f"{judge} says it is {right}{reason}, reward {verdict.reward:g}"


def _secret(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(json.dumps(item, ensure_ascii=False) for item in value)
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, ensure_ascii=False)


def _quoted(text: str, prefix: str = "    | ") -> str:
    """A model's text, marked as such and with control characters shown rather than obeyed by the terminal."""
    shown = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    return indent(shown.rstrip("\n") or "(nothing)", prefix, lambda line: True)
