"""One task, attempt, proposal, update, exam, message or generation of a run, in full and in plain words.

    12            generation 12         attempt:340   proposal:12   update:7   message:99   exam:sealed
    3fa9c0        the task whose id begins like that (`task:` and `generation:` may be written too)

Numbers stay valid for ever: what a resume went back on is still found, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from textwrap import indent
from typing import Any

from autotelic.dashboard.generations import Generation
from autotelic.dashboard.specimens import author_of
from autotelic.dashboard.story import Story
from autotelic.dashboard.wording import clock, count, decimal, interval, percent, short
from autotelic.errors import RecordError
from autotelic.messages import Evaluated, ExamSet, Message, Updated
from autotelic.record import Journal, StoredEpisode
from autotelic.record.plain import to_json
from autotelic.types import Proposal, Task, Turn, Verdict, text_of

Found = Task | StoredEpisode | Proposal | Generation | Message
_JUDGES = {
    "verifier": "the verifier",
    "critic": "the critic",
    "consensus": "the majority of its siblings",
    "certainty": "its own certainty",
}
_LISTED = 12
"""Rows of a list that are shown before it is cut: a screen holds about two of such lists."""
_SUPERSEDED = "Superseded: a resume went back to a checkpoint before this, and it happened again."


def find(journal: Journal, story: Story, what: str) -> Found:
    """What a person means by `what`. Raises RecordError when the run has no such thing."""
    kind, _, name = what.rpartition(":")
    if kind == "generation" or (not kind and name.isdecimal() and len(name) < 8):
        return _generation(story, name)
    if kind in ("", "task"):
        return _task(journal, name)
    if kind == "exam":
        return _exam(journal, name)
    if kind not in ("attempt", "proposal", "update", "message"):
        raise RecordError(
            f"{what} names no kind of thing",
            "give a task's id, a generation's number, attempt:N, proposal:N, update:N, message:N or exam:NAME",
        )
    number = int(name) if name.isdecimal() else 0
    found: Found | None = {
        "attempt": journal.episode,
        "proposal": journal.proposal,
        "update": lambda n: _update(journal, n, name),
        "message": journal.message,
    }[kind](number)
    if found is None:
        raise RecordError(f"the run has no {kind} {name!r}", f"{_has(journal, kind)}; give one of these")
    return found


def _has(journal: Journal, kind: str) -> str:
    tables = {"attempt": "episodes", "proposal": "proposals", "update": "entries", "message": "messages"}
    return f"it has {journal.counts()[tables[kind]]} {kind}s"


def describe(journal: Journal, story: Story, found: Found) -> str:
    """The thing as text, for a terminal or a page."""
    match found:
        case Task():
            lines = _show_task(journal, found)
        case StoredEpisode():
            lines = _show_attempt(journal, found)
        case Proposal():
            lines = _show_proposal(journal, found)
        case Updated():
            lines = _show_update(journal, found)
        case ExamSet():
            lines = _show_exam(journal, found)
        case Message():
            lines = _show_message(journal, found)
        case _:
            lines = _show_generation(journal, story, found)
    return "\n".join(lines)


def as_json(found: Found) -> dict[str, Any]:
    """The thing as plain JSON."""
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


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str | tuple | list) else value


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
    hint = "Give a generation's number, a task's id, attempt:N, proposal:N, update:N, message:N or exam:NAME."
    return "\n".join([*lines, "", hint])


# ── finding ──────────────────────────────────────────────────────────────────────────────────────────────


def _task(journal: Journal, name: str) -> Task:
    if task := journal.task(name):
        return task
    alike = [row["id"] for row in journal.each("tasks") if name and row["id"].startswith(name)]
    if not alike:
        raise RecordError(
            f"the run has no task {name!r}",
            "`autotelic inspect RUN GENERATION` lists the tasks of a generation",
        )
    if len(set(alike)) > 1:
        raise RecordError(f"{len(alike)} tasks have an id that begins with {name!r}", "give more of it")
    return _task(journal, alike[0])


def _update(journal: Journal, step: int, name: str) -> Updated | None:
    if not name.isdecimal():
        return None
    made = journal.each_message(kinds=(Updated.kind,))
    return next((m for m in made if isinstance(m, Updated) and m.step == step), None)


def _exam(journal: Journal, name: str) -> ExamSet:
    exams = [m for m in journal.read(kinds=(ExamSet.kind,)) if isinstance(m, ExamSet)]
    for exam in exams:
        if exam.exam == name:
            return exam
    has = " and ".join(exam.exam for exam in exams) or "none yet"
    raise RecordError(f"the run has no exam {name!r} (it has {has})", "give one of those")


def _generation(story: Story, name: str) -> Generation:
    for generation in story.generations:
        if name.isdecimal() and generation.number == int(name):
            return generation
    numbers = [g.number for g in story.generations]
    has = f"{numbers[0]} to {numbers[-1]}" if numbers else "none yet"
    raise RecordError(f"the run has no generation {name!r} (it has {has})", "give one of those")


# ── showing ──────────────────────────────────────────────────────────────────────────────────────────────


def _show_task(journal: Journal, task: Task) -> Iterator[str]:
    lineage = task.lineage
    yield f"Task {task.id}, {task.cell}, domain {task.domain}"
    yield f"  Written by {author_of(lineage)} in generation {lineage.generation}."
    if lineage.references:
        what = "It repairs an answer to" if task.is_repair else "Its writer was shown"
        yield f"  {what}: {', '.join(lineage.references)}."
    yield f"  Behaves like {task.signature}" + (f", cluster {task.cluster!r}." if task.cluster else ".")
    yield from ("", "What the solver sees")
    yield _quoted(text_of(task.prompt))
    yield from ("", "What only the judge knows")
    for name, value in task.secret.items():
        yield f"  {name}:"
        yield _quoted(_secret(value))
    attempts = journal.episodes(task_id=task.id)
    passed = sum(bool(a.verdicts and a.verdicts[-1].passed) for a in attempts)
    yield ""
    share = f", of which {passed} passed ({percent(passed / len(attempts))})" if attempts else ""
    yield f"Attempts: {len(attempts)}{share}"
    for stored in attempts[:_LISTED]:
        yield f"  attempt:{stored.episode.id}  generation {stored.generation}, {stored.purpose}: {_outcome(stored)}"
        yield _quoted(stored.episode.answer, "      | ")
    if len(attempts) > _LISTED:
        yield f"  and {len(attempts) - _LISTED} more"
    used = [
        f"update:{m.step}"
        for m in journal.each_message(kinds=(Updated.kind,))
        if isinstance(m, Updated) and any(e.ref == task.id for e in m.batch)
    ]
    yield from ("", f"Learned from in {', '.join(used[:_LISTED]) or 'no update'}")


def _show_attempt(journal: Journal, stored: StoredEpisode) -> Iterator[str]:
    episode = stored.episode
    task = journal.task(episode.task_id)
    about = f", {task.cell}, written by {author_of(task.lineage)}" if task else ""
    yield f"Attempt {episode.id} as {stored.role} ({stored.purpose}), in generation {stored.generation}"
    if stored.superseded:
        yield _SUPERSEDED
    yield f"  at task {episode.task_id}{about}"
    for number, step in enumerate(episode.steps, start=1):
        yield from ("", _turn_line(step.turn, f"Turn {number} of {len(episode.steps)}"))
        if number == 1 and task is not None:
            yield "  it saw"
            yield _quoted(text_of(task.prompt))
        if number <= len(stored.texts):
            yield "  it wrote"
            yield _quoted(stored.texts[number - 1])
        if text_of(step.reply):
            yield f"  and was shown, with a reward of {step.reward:g}"
            yield _quoted(text_of(step.reply))
    yield from ("", f"What was judged (the episode's ending: {episode.ending})")
    yield _quoted(episode.answer)
    yield from ("", f"Verdict: {_outcome(stored)}")
    for verdict in stored.verdicts:
        if verdict.feedback:
            yield "  and said"
            yield _quoted(verdict.feedback)
    if stored.earned is not None:
        yield f"Advantage: {decimal(stored.earned.advantage, 3)}"


def _turn_line(turn: Turn, name: str) -> str:
    ended = "ended by itself" if turn.stop == "eos" else "was cut off at the longest length"
    certain = sum(turn.logprobs) / len(turn.logprobs) if turn.logprobs else None
    return (
        f"{name}: {len(turn.prompt_ids)} tokens in, {len(turn.completion_ids)} out, {ended}; "
        f"mean log-probability {decimal(certain)}; weights {short(turn.weights)}"
    )


def _show_proposal(journal: Journal, proposal: Proposal) -> Iterator[str]:
    yield f"Proposal {proposal.id} of {proposal.cell}, in generation {proposal.lineage.generation}"
    yield f"  Written by {author_of(proposal.lineage)}."
    if proposal.lineage.references:
        yield f"  Its writer was shown: {', '.join(proposal.lineage.references)}."
    yield _quoted(proposal.text)
    if proposal.turn is not None:
        yield _turn_line(proposal.turn, "Its turn")


def _show_update(journal: Journal, update: Updated) -> Iterator[str]:
    report = update.report
    yield f"Update {update.step}, in generation {update.generation}"
    if journal.is_superseded(update.id):
        yield _SUPERSEDED
    yield f"  weights {short(update.before)} before, {short(update.after)} after"
    yield f"  rate {update.rate:.3f}, {update.threads} threads, {report.tokens} tokens, loss {report.loss:.4f}"
    if report.skipped:
        yield f"  skipped: {report.skipped}"
    yield from ("", f"Its {len(update.batch)} sequences (kind, what it is of, weight or advantage)")
    for entry in update.batch:
        link = entry.ref if entry.kind in ("demonstration", "practice") else _link(entry.kind, entry.ref)
        shown = f"  shown {', '.join(entry.shown)}" if entry.shown else ""
        yield f"  {entry.kind:<14} {link:<20} {entry.weight:+.4f}{shown}"


def _link(kind: str, ref: str) -> str:
    return f"{'proposal' if kind == 'proposal' else 'attempt'}:{ref}"


def _show_exam(journal: Journal, exam: ExamSet) -> Iterator[str]:
    yield f"The {exam.exam} exam, {len(exam.items)} items, {exam.digest}"
    yield from (f"  refused {n}: {reason}" for reason, n in exam.refused.items())
    yield from (f"  {n} short: {cell}" for cell, n in exam.missing.items())
    yield from ("", "Evaluations")
    for message in journal.each_message(kinds=(Evaluated.kind,)):
        if isinstance(message, Evaluated) and message.report.exam == exam.exam:
            yield (
                f"  message:{message.id}  {message.when}, generation {message.generation}: "
                f"{interval(message.report.overall.pass_at_1, 1)}"
            )
    yield from ("", "Items")
    yield from (f"  {item.id}  {item.cell}" for item in exam.items)


def _show_message(journal: Journal, message: Message) -> Iterator[str]:
    yield f"Message {message.id}, {message.kind}, generation {message.generation}, {message.span}"
    if journal.is_superseded(message.id):
        yield _SUPERSEDED
    shown = {k: v for k, v in as_json(message).items() if k not in ("kind", "id", "generation", "span")}
    yield _quoted(json.dumps(shown, indent=2, ensure_ascii=False)[:20_000])


def _show_generation(journal: Journal, story: Story, found: Generation) -> Iterator[str]:
    yield f"Generation {found.number}" + (", bootstrap: every task from the rules" if found.bootstrap else "")
    stages = ", ".join(f"{stage} {clock(seconds)}" for stage, seconds in found.stage_seconds.items())
    yield f"  Took {clock(found.seconds)}: {stages}."
    yield from ("", "Learned")
    yield f"  from {count(found.trained)} tokens, {percent(found.actor_task_share)} of its tasks the actor's own,"
    yield f"  after decoding {count(found.decoded)}; {count(found.total_tokens)} tokens since the run began."
    if found.learned is not None:
        yield f"  {_measured(asdict(found.learned))}"
    if found.calibration is not None:
        yield f"  critic, on attempts it had not learned from: {_measured(asdict(found.calibration))}"
    yield from ("", "Proposed")
    made = found.proposals
    yield f"  {made.asked} asked, {made.valid} valid, {made.novel} new in what they do, {made.admitted} taken"
    yield from (f"  refused {n}: {reason}" for reason, n in made.reasons.items())
    yield from ("", "Practised (share of tasks, success, expected gain)")
    for cell, state in found.cells.items():
        yield f"  {cell!s:<14} {percent(state.share):>6}  {percent(state.p):>6}  {decimal(state.gain, 3):>7}"
    yield from ("", "Dropped")
    yield f"  {found.flat} groups whose attempts all fared alike ({found.kept} kept)"
    yield from (f"  {d.n} {d.what}: {d.why}" for d in story.drops if d.generation == found.number)
    for evaluation in (e for e in story.evaluations if e.generation == found.number):
        yield from ("", f"Exam {evaluation.exam} ({evaluation.when}): {interval(evaluation.pass_at_1, 1)}")
        yield from (f"  {cell!s:<14} {interval(score)}" for cell, score in evaluation.cells.items())
    for ruling in story.rulings_of(found.number):
        yield from ("", f"Decided (message:{ruling.message}): {ruling.verdict}")
        yield from (f"  because {reason}" for reason in ruling.reasons)
    attempts = journal.episodes(generation=found.number)
    yield from ("", f"Attempts: {len(attempts)}")
    yield from (
        f"  attempt:{stored.episode.id}  task {stored.episode.task_id}, {stored.purpose}: {_outcome(stored)}"
        for stored in attempts[:_LISTED]
    )
    if len(attempts) > _LISTED:
        yield f"  and {len(attempts) - _LISTED} more"


def _measured(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {decimal(value, 3)}" for name, value in values.items() if value is not None)


def _outcome(stored: StoredEpisode) -> str:
    return _said(stored.verdicts[-1]) if stored.verdicts else "not judged"


def _said(verdict: Verdict) -> str:
    judge = _JUDGES[verdict.source]
    reason = f" ({verdict.reason})" if verdict.reason else ""
    if verdict.passed is None:
        return f"{judge} gives a reward of {verdict.reward:g}{reason}"
    right = "right" if verdict.passed else "wrong"
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
