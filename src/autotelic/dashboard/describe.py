"""What `inspect` found, in full and in plain words, with links to what belongs to it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from textwrap import indent
from typing import Any

from autotelic.dashboard.generations import Generation
from autotelic.dashboard.inspect import Found, as_json
from autotelic.dashboard.links import Use, fate_of, is_superseded, proposals_of, repairs_of, uses
from autotelic.dashboard.specimens import author_of
from autotelic.dashboard.story import Story
from autotelic.dashboard.wording import clock, count, decimal, interval, percent, short, words_of
from autotelic.messages import Admitted, Earned, Evaluated, ExamSet, Message, Updated
from autotelic.record import Journal, StoredEpisode
from autotelic.types import Entry, Group, Proposal, Task, Turn, Verdict

_JUDGES = {
    "verifier": "the verifier",
    "critic": "the critic",
    "consensus": "the majority of its siblings",
    "certainty": "its own certainty",
    "entropy": "its own low entropy",
}
_LISTED = 12
"""Rows of a list that are shown before it is cut: a screen holds about two of such lists."""
_SUPERSEDED = "  Superseded: a resume went back to a checkpoint before this."


def describe(journal: Journal, story: Story, found: Found) -> str:
    """The thing as text, for a terminal or a page."""
    match found:
        case Task():
            lines = _task(journal, found)
        case StoredEpisode():
            lines = _attempt(journal, found)
        case Proposal():
            lines = _proposal(journal, found)
        case Updated():
            lines = _update(journal, found)
        case ExamSet():
            lines = _exam(journal, found)
        case Message():
            lines = _message(journal, found)
        case Generation():
            lines = _generation(journal, story, found)
    return "\n".join(lines)


def _task(journal: Journal, task: Task) -> Iterator[str]:
    lineage = task.lineage
    yield f"Task {task.id}, {task.cell}, domain {task.domain}"
    yield f"  Written by {author_of(lineage)} in generation {lineage.generation}."
    if lineage.references:
        what = "It repairs an answer to" if task.is_repair else "Its writer was shown"
        yield f"  {what}: {', '.join(lineage.references)}."
    yield f"  Behaves like {task.signature}" + (f", cluster {task.cluster!r}." if task.cluster else ".")
    yield from ("", "What the solver sees")
    yield quoted(words_of(task.prompt))
    yield from ("", "What only the judge knows")
    for name, value in task.secret.items():
        yield f"  {name}:"
        yield quoted(_secret(value))
    proposals = proposals_of(journal, task)
    for id_ in proposals:
        proposal = journal.proposal(id_)
        yield from ("", f"The proposal that it was: proposal:{id_}")
        if proposal is not None and proposal.turn is not None:
            yield f"  {_turn(proposal.turn)}"
    attempts = journal.episodes(task_id=task.id)
    judged = [stored.verdicts[-1] for stored in attempts if stored.verdicts]
    known = [verdict.passed for verdict in judged if verdict.passed is not None]
    share = f", of which {sum(known)} passed ({percent(sum(known) / len(known))})" if known else ""
    yield from ("", f"Attempts: {len(attempts)}{share}")
    for stored in attempts[:_LISTED]:
        yield f"  {_line(stored)}"
        yield quoted(stored.episode.answer, "      | ")
    yield from _more(len(attempts))
    repairs = repairs_of(journal, task, {stored.generation for stored in attempts})
    yield from ("", f"Repairs of its answers: {', '.join(repair.id for repair in repairs) or 'none'}")
    used = [
        *uses(journal, ("demonstration", "practice"), task.id),
        *(use for s in attempts for use in uses(journal, ("own", "attempt"), str(s.episode.id))),
        *(use for id_ in proposals for use in uses(journal, ("proposal",), str(id_))),
    ]
    yield from _uses(used)


def _attempt(journal: Journal, stored: StoredEpisode) -> Iterator[str]:
    episode = stored.episode
    task = journal.task(episode.task_id)
    about = f", {task.cell}, written by {author_of(task.lineage)}" if task else ""
    yield f"Attempt {episode.id} as {stored.role} ({stored.purpose}), in generation {stored.generation}"
    if stored.superseded:
        yield _SUPERSEDED
    yield f"  at task {episode.task_id}{about}"
    for number, step in enumerate(episode.steps, start=1):
        yield from ("", f"Turn {number} of {len(episode.steps)}: {_turn(step.turn)}")
        if number == 1 and task is not None:
            yield "  it saw"
            yield quoted(words_of(task.prompt))
        if number <= len(stored.texts):
            yield "  it wrote"
            yield quoted(stored.texts[number - 1])
        if words_of(step.reply):
            yield f"  and was shown, with a reward of {step.reward:g}"
            yield quoted(words_of(step.reply))
    yield from ("", f"What was judged (the episode's ending: {episode.ending})")
    yield quoted(episode.answer)
    yield from ("", f"Verdict: {_outcome(stored)}")
    for verdict in stored.verdicts:
        if verdict.feedback:
            yield "  and said"
            yield quoted(verdict.feedback)
    if stored.earned is not None:
        yield _earned(stored.earned)
    yield from _uses(uses(journal, ("own", "attempt"), str(episode.id)))


def _proposal(journal: Journal, proposal: Proposal) -> Iterator[str]:
    generation = proposal.lineage.generation
    yield f"Proposal {proposal.id} of {proposal.cell}, in generation {generation}"
    if is_superseded(journal, proposal.id, generation):
        yield _SUPERSEDED
    yield f"  Written by {author_of(proposal.lineage)}."
    if proposal.lineage.references:
        yield f"  Its writer was shown: {', '.join(proposal.lineage.references)}."
    if proposal.turn is not None:
        yield f"  Its turn: {_turn(proposal.turn)}."
    yield from ("", "What it wrote")
    yield quoted(proposal.text)
    outcome, earned = fate_of(journal, proposal.id, generation)
    yield ""
    if outcome is None:
        yield "Nothing is recorded of what became of it."
    elif outcome.task:
        yield f"It became task {outcome.task}."
    else:
        yield f"It became no task: {outcome.reason}" + (f" ({outcome.detail})" if outcome.detail else "")
    if earned is not None:
        yield _earned(earned)
    yield from _uses(uses(journal, ("proposal",), str(proposal.id)))


def _update(journal: Journal, update: Updated) -> Iterator[str]:
    report = update.report
    yield f"Update {update.step} (message:{update.id}), in generation {update.generation}"
    if journal.is_superseded(update.id):
        yield _SUPERSEDED
    yield f"  weights {update.before} before"
    yield f"  weights {update.after} after"
    yield f"  rate {update.rate:.3f}, {update.threads} threads"
    yield f"  {_measured(asdict(report))}"
    if report.skipped:
        yield f"  skipped: {report.skipped}"
    yield from ("", f"Its {len(update.batch)} sequences (kind, what it is of, weight or advantage)")
    yield from (f"  {_entry(entry)}" for entry in update.batch)


def _exam(journal: Journal, exam: ExamSet) -> Iterator[str]:
    yield f"The {exam.exam} exam, {len(exam.items)} items, set in generation {exam.generation}"
    if journal.is_superseded(exam.id):
        yield _SUPERSEDED
    yield f"  {exam.digest}"
    yield from (f"  refused {n}: {reason}" for reason, n in exam.refused.items())
    yield from (f"  {n} short: {cell}" for cell, n in exam.missing.items())
    yield from ("", "Evaluations")
    last: Mapping[str, float] = {}
    for message in journal.each_message(kinds=(Evaluated.kind,)):
        if isinstance(message, Evaluated) and message.report.exam == exam.exam:
            score, last = message.report.overall.pass_at_1, message.report.outcomes
            yield (
                f"  message:{message.id}  {message.when}, generation {message.generation}, "
                f"after {clock(message.seconds)}: {interval(score, 1)}"
            )
    yield from ("", "Items (and how the greedy answer did last)")
    for item in exam.items:
        yield f"  {item.id}  {item.cell!s:<14} {decimal(last.get(item.id))}"


def _message(journal: Journal, message: Message) -> Iterator[str]:
    """Any message: its rows as links, all else as JSON."""
    nouns = [field.name for field in fields(message) if "table" in field.metadata]
    yield f"Message {message.id}, {message.kind}, generation {message.generation}, {message.span or 'no stage'}"
    if journal.is_superseded(message.id) and not message.kind.startswith("run."):
        yield _SUPERSEDED
    envelope = {"kind", "id", "generation", "span", *nouns}
    rest = {name: value for name, value in as_json(message).items() if name not in envelope}
    yield quoted(json.dumps(rest, indent=2, ensure_ascii=False))
    for name in nouns:
        rows = getattr(message, name)
        yield from ("", f"{name}: {len(rows)}")
        yield from (f"  {_noun(row)}" for row in rows[:_LISTED])
        yield from _more(len(rows))


def _generation(journal: Journal, story: Story, found: Generation) -> Iterator[str]:
    yield f"Generation {found.number}" + (", bootstrap: every task from the rules" if found.bootstrap else "")
    if journal.is_superseded(found.message):
        yield _SUPERSEDED
    stages = ", ".join(f"{stage} {clock(seconds)}" for stage, seconds in found.stage_seconds.items())
    yield f"  Took {clock(found.seconds)}: {stages}."
    yield from ("", "Learned")
    yield f"  from {count(found.trained)} tokens, {percent(found.actor_task_share)} of its tasks the actor's own,"
    yield f"  after decoding {count(found.decoded)}; {count(found.total_tokens)} tokens since the run began."
    if found.learned is not None:
        yield f"  {_measured(asdict(found.learned))}"
    if found.calibration is not None:
        yield f"  critic, on attempts it had not learned from: {_measured(asdict(found.calibration))}"
    made = found.proposals
    yield from ("", "Proposed")
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
    yield from _made(journal, found)


def _made(journal: Journal, found: Generation) -> Iterator[str]:
    """The tasks and attempts of a generation, with their links."""
    superseded = journal.is_superseded(found.message)
    for message in journal.read(kinds=(Admitted.kind,), generation=found.number, superseded=superseded):
        if isinstance(message, Admitted):
            yield from ("", f"New tasks: {len(message.tasks)}, set aside: {len(message.set_aside)}")
            yield from (f"  {_noun(task)}" for task in message.tasks[:_LISTED])
            yield from _more(len(message.tasks))
    attempts = [s for s in journal.episodes(generation=found.number) if s.superseded == superseded]
    yield from ("", f"Attempts: {len(attempts)}")
    yield from (f"  {_line(stored)}, task {stored.episode.task_id}" for stored in attempts[:_LISTED])
    yield from _more(len(attempts))


# ── words ────────────────────────────────────────────────────────────────────────────────────────────────


def _turn(turn: Turn) -> str:
    ended = "ended by itself" if turn.stop == "eos" else "was cut off at the longest length"
    certain = sum(turn.logprobs) / len(turn.logprobs) if turn.logprobs else None
    return (
        f"{len(turn.prompt_ids)} tokens in, {len(turn.completion_ids)} out, {ended}; "
        f"mean log-probability {decimal(certain)}; weights {short(turn.weights)}"
    )


def _line(stored: StoredEpisode) -> str:
    gone = ", superseded" if stored.superseded else ""
    about = f"generation {stored.generation}, {stored.purpose}{gone}"
    return f"attempt:{stored.episode.id}  {about}: {_outcome(stored)}"


def _noun(row: Any) -> str:
    match row:
        case Task():
            return f"{row.id}  {row.cell!s:<14} by {author_of(row.lineage)}"
        case Proposal():
            return f"proposal:{row.id}  {row.cell}"
        case Group():
            rewards = f", rewards {' '.join(f'{reward:g}' for reward in row.rewards)}" if row.verdicts else ""
            return f"{row.task.id}  {', '.join(f'attempt:{e.id}' for e in row.episodes)}{rewards}"
        case Earned():
            kind = "proposal" if row.role == "proposer" else "attempt"
            return f"{kind}:{row.id}  {_earned(row)}"
        case Entry():
            return _entry(row)
    return str(row)


def _entry(entry: Entry) -> str:
    if entry.kind in ("demonstration", "practice"):
        link = entry.ref
    else:
        link = f"{'proposal' if entry.kind == 'proposal' else 'attempt'}:{entry.ref}"
    shown = f"  shown {', '.join(entry.shown)}" if entry.shown else ""
    return f"{entry.kind:<14} {link:<20} {entry.weight:+.4f}{shown}"


def _uses(found: Iterable[Use]) -> Iterator[str]:
    every = list(found)
    yield from ("", f"Sequences of updates that are made of it: {len(every)}")
    for use in every[:_LISTED]:
        step = f"message:{use.update.id} (superseded)" if use.superseded else f"update:{use.update.step}"
        yield f"  {step}, generation {use.update.generation}: {_entry(use.entry)}"
    yield from _more(len(every))


def _earned(earned: Earned) -> str:
    flat = "no advantage: its siblings earned the same"
    advantage = flat if earned.advantage is None else f"advantage {earned.advantage:+.3f}"
    return f"Credit: reward {earned.reward:g}, {advantage}"


def _more(listed: int) -> Iterator[str]:
    if listed > _LISTED:
        yield f"  and {listed - _LISTED} more"


def _measured(values: Mapping[str, Any]) -> str:
    def word(value: Any) -> str:
        return decimal(value, 3) if isinstance(value, float) else str(value).lower()

    return ", ".join(f"{name} {word(value)}" for name, value in values.items() if value not in (None, ""))


def _outcome(stored: StoredEpisode) -> str:
    return "; ".join(_said(verdict) for verdict in stored.verdicts) or "not judged"


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


def quoted(text: str, prefix: str = "    | ") -> str:
    """A model's text, marked as such and with control characters shown rather than obeyed by the terminal."""
    shown = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    return indent(shown.rstrip("\n") or "(nothing)", prefix, lambda line: True)
