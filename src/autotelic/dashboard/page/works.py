"""Views of one thing: a task with its history, an attempt, a proposal, an update or another message."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from autotelic.dashboard.describe import describe
from autotelic.dashboard.inspect import as_json, find
from autotelic.dashboard.links import fate_of, proposals_of, repairs_of, uses_of_any
from autotelic.dashboard.markup import para, safe
from autotelic.dashboard.page import parts, shell
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.page.seen import seen_block
from autotelic.dashboard.specimens import author_of
from autotelic.dashboard.wording import decimal, percent, short
from autotelic.errors import RecordError
from autotelic.messages import ExamSet, Updated
from autotelic.record import Journal, StoredEpisode
from autotelic.types import Kind, Proposal, Step, Task

_OF_ATTEMPTS: tuple[Kind, ...] = ("own", "attempt")


# ── a task ────────────────────────────────────────────────────────────────────────────────────────────────


def task(run: RunView, id_: str) -> str:
    """A task: what was asked, what the judge knows, who wrote it and how, its attempts, repairs and updates."""
    with run.journal() as journal:
        found = journal.task(id_)
        if found is None:
            raise RecordError(f"the run has no task {id_[:40]!r}", "look for it in the list of tasks")
        return "\n".join(
            [
                f"<h1>Task <code>{safe(found.id)}</code></h1>",
                shell.guarded("task", lambda: _asked(run, found)),
                shell.guarded("proposer", lambda: _proposed(run, journal, found)),
                shell.guarded("attempts", lambda: _attempts(run, journal, found)),
                shell.guarded("uses", lambda: _task_uses(run, journal, found)),
            ]
        )


def _asked(run: RunView, task: Task) -> str:
    lineage = task.lineage
    shown = ", ".join(shell.task_link(run, id_) for id_ in lineage.references)
    about = "It repairs an answer to" if task.is_repair else "Its writer was shown"
    cell = shell.link(f"{run.url}/cell/{task.mode}/{task.level}", safe(task.cell))
    return (
        para(
            f"{cell}, domain {safe(task.domain)}, written by {safe(author_of(lineage))} in",
            f"{shell.generation_link(run, lineage.generation)}.",
            f"{about} {shown}." if shown else "",
        )
        + "<h2>What the solver sees</h2>"
        + seen_block(run, task.prompt, "what the solver sees")
        + "<h2>Expected answer, and what else only the judge knows</h2>"
        + parts.secret(task.secret)
        + para(f"Behaves like <code>{safe(task.signature)}</code>.", style="quiet")
    )


def _proposed(run: RunView, journal: Journal, task: Task) -> str:
    shown = []
    for id_ in proposals_of(journal, task):
        written = journal.proposal(id_)
        if written is None:
            continue
        _, earned = fate_of(journal, id_, written.lineage.generation)
        shown.append(
            f"<h3>{shell.proposal_link(run, id_)}</h3>{parts.turn_line(run, written.turn)}{parts.earned_line(earned)}"
            + shell.text_block(written.text, "what the proposer wrote")
        )
    return f"<h2>The proposer's turn</h2>{''.join(shown)}" if shown else ""


def _attempts(run: RunView, journal: Journal, task: Task) -> str:
    stored = journal.episodes(task_id=task.id)
    known = [s.verdicts[-1].passed for s in stored if s.verdicts and s.verdicts[-1].passed is not None]
    share = f", of which {sum(known)} passed ({percent(sum(known) / len(known))})" if known else ""
    repairs = repairs_of(journal, task, {s.generation for s in stored})
    conversation = "".join(_repair(run, journal, repair) for repair in repairs[: parts.LISTED])
    return (
        f"<h2>Attempts</h2>{para(f'{len(stored)} attempts{share}.')}"
        + "".join(_attempted(run, each) for each in stored[: parts.LISTED])
        + parts.cut_line(len(stored))
        + (f"<h2>Repairs of its answers</h2>{conversation}" if conversation else "")
    )


def _attempted(run: RunView, stored: StoredEpisode) -> str:
    about = f"{shell.generation_link(run, stored.generation)}, {safe(stored.purpose)}"
    gone = ", superseded" if stored.superseded else ""
    return (
        f'<article class="turn solver"><header>{shell.attempt_link(run, stored.episode.id)}: {about}{gone}. '
        f"{parts.verdict_line(stored.verdicts)}</header>{shell.text_block(stored.episode.answer, 'its answer')}"
        f"{parts.earned_line(stored.earned)}</article>"
    )


def _repair(run: RunView, journal: Journal, repair: Task) -> str:
    """What was shown of a failure, and each answer to it: the turns of a conversation."""
    answers = journal.episodes(task_id=repair.id)
    said = (
        f'<article class="turn shown"><header>{shell.task_link(run, repair.id)} shows the failure</header>'
        f"{seen_block(run, repair.prompt, 'what it was shown')}</article>"
    )
    return (
        f'<div class="talk">{said}{"".join(_attempted(run, each) for each in answers[: parts.LISTED])}</div>'
    )


def _task_uses(run: RunView, journal: Journal, task: Task) -> str:
    attempts = [str(s.episode.id) for s in journal.episodes(task_id=task.id)][: parts.LISTED]
    wanted: set[tuple[Kind, str]] = {("demonstration", task.id), ("practice", task.id), ("form", task.id)}
    wanted |= {(kind, ref) for ref in attempts for kind in _OF_ATTEMPTS}
    wanted |= {("proposal", str(id_)) for id_ in proposals_of(journal, task)}
    brought = journal.select("SELECT min(message) FROM tasks WHERE id = ?", [task.id])[0][0]
    return parts.uses_table(run, uses_of_any(journal, wanted, int(brought or 0)))


# ── an attempt ────────────────────────────────────────────────────────────────────────────────────────────


def attempt(run: RunView, id_: str) -> str:
    """An attempt: turn by turn with its tokens, what is expected, the verdicts, the advantage, the updates."""
    with run.journal() as journal:
        stored = find(journal, run.story, f"attempt:{id_}")
        if not isinstance(stored, StoredEpisode):
            raise RecordError(f"the run has no attempt {id_!r}", "look for it in the list of attempts")
        task = journal.task(stored.episode.task_id)
        superseded = "A resume went back to a checkpoint before this." if stored.superseded else ""
        at = shell.task_link(run, stored.episode.task_id)
        head = para(
            f"At task {at}{f', {safe(task.cell)}' if task else ''}, as {safe(stored.role)} for",
            f"{safe(stored.purpose)}, in {shell.generation_link(run, stored.generation)}.",
            superseded,
        )
        return "\n".join(
            [
                f"<h1>Attempt {stored.episode.id}</h1>",
                shell.guarded("attempt", lambda: head + _judged(run, stored, task)),
                shell.guarded("turns", lambda: _turns(run, stored, task)),
                shell.guarded("uses", lambda: _attempt_uses(run, journal, stored)),
            ]
        )


def _judged(run: RunView, stored: StoredEpisode, task: Task | None) -> str:
    printed = "".join(
        f"<h3>What the tests printed</h3>{shell.text_block(verdict.feedback, 'what the tests printed')}"
        for verdict in stored.verdicts
        if verdict.feedback
    )
    critics = [v for v in stored.verdicts if v.source == "critic"]
    critic = (
        para(f"The critic predicted {decimal(critics[-1].reward)}.")
        if critics
        else para("No prediction of the critic is recorded for this attempt.", style="quiet")
    )
    return (
        f"<p>{parts.verdict_line(stored.verdicts)}</p>{parts.earned_line(stored.earned)}{critic}"
        '<div class="columns"><div><h2>Its answer</h2>'
        + shell.text_block(stored.episode.answer, "its answer")
        + printed
        + "</div><div><h2>Expected</h2>"
        + (parts.secret(task.secret) if task else para("The task is not in the journal.", style="quiet"))
        + "</div></div>"
    )


def _turns(run: RunView, stored: StoredEpisode, task: Task | None) -> str:
    articles = ["<h2>Turn by turn</h2>"]
    if task is not None:
        shown = seen_block(run, task.prompt, "what it saw")
        articles.append(f'<article class="turn shown"><header>It saw</header>{shown}</article>')
    for number, step in enumerate(stored.episode.steps):
        text = stored.texts[number] if number < len(stored.texts) else ""
        articles.append(_step(run, step, text))
    return "".join(articles)


def _step(run: RunView, step: Step, text: str) -> str:
    shown = (
        f'<article class="turn shown"><header>It was shown, with a reward of {step.reward:g}</header>'
        f"{seen_block(run, step.reply, 'what it was shown')}</article>"
        if step.reply
        else ""
    )
    return (
        f'<article class="turn solver"><header>It wrote. {parts.turn_line(run, step.turn)}</header>'
        f"{parts.tokens_block(run, step.turn, text)}</article>{shown}"
    )


def _attempt_uses(run: RunView, journal: Journal, stored: StoredEpisode) -> str:
    wanted = {(kind, str(stored.episode.id)) for kind in _OF_ATTEMPTS}
    return parts.uses_table(run, uses_of_any(journal, wanted, stored.message))


# ── a proposal, an update, any message ────────────────────────────────────────────────────────────────────


def proposal(run: RunView, id_: str) -> str:
    """A proposal: what the writer was shown, what it wrote, and what became of it."""
    with run.journal() as journal:
        found = find(journal, run.story, f"proposal:{id_}")
        if not isinstance(found, Proposal):
            raise RecordError(f"the run has no proposal {id_!r}", "look for it in the list of proposals")
        written, born = found, found.lineage.generation
        outcome, earned = fate_of(journal, written.id, born)
        fate = "Nothing is recorded of what became of it."
        if outcome is not None and outcome.task:
            fate = f"It became task {shell.task_link(run, outcome.task)}."
        elif outcome is not None:
            detail = f" ({safe(outcome.detail)})" if outcome.detail else ""
            fate = f'<span class="failed">It became no task: {safe(outcome.reason)}</span>{detail}.'
        shown = ", ".join(shell.task_link(run, id_) for id_ in written.lineage.references)
        body = (
            para(
                f"Asked for {safe(written.cell)} in {shell.generation_link(run, born)}.",
                f"Its writer was shown {shown}." if shown else "",
                fate,
            )
            + parts.earned_line(earned)
            + "<h2>What it wrote</h2>"
            + (
                parts.tokens_block(run, written.turn, written.text)
                if written.turn
                else shell.text_block(written.text)
            )
        )
        return (
            f"<h1>Proposal {written.id}</h1>"
            + shell.part("proposal", body)
            + shell.guarded("uses", lambda: _proposal_uses(run, journal, written.id))
        )


def _proposal_uses(run: RunView, journal: Journal, id_: int) -> str:
    first = journal.select("SELECT message FROM proposals WHERE row = ?", [id_])[0][0]
    return parts.uses_table(run, uses_of_any(journal, {("proposal", str(id_))}, int(first)))


def message(run: RunView, id_: str) -> str:
    """Any message, in full; an update with the sequences that it was made of."""
    with run.journal() as journal:
        found = find(journal, run.story, f"message:{id_}")
        if isinstance(found, Updated):
            return _update(run, journal, found)
        body = shell.text_block(describe(journal, run.story, found), "the message")
        return f"<h1>Message {safe(id_)}</h1>" + shell.part("message", body)


def _update(run: RunView, journal: Journal, update: Updated) -> str:
    report = asdict(update.report)
    measured = [
        [safe(name), safe(decimal(value, 4) if isinstance(value, float) else value)]
        for name, value in report.items()
        if value not in ("", None)
    ]
    rows = [
        [
            safe(e.kind),
            parts.entry_link(run, e),
            f"{e.weight:+.4f}",
            ", ".join(shell.task_link(run, t) for t in e.shown),
        ]
        for e in update.batch
    ]
    gone = "A resume went back on it." if journal.is_superseded(update.id) else ""
    return (
        f"<h1>Update {update.step}</h1>"
        + para(f"In {shell.generation_link(run, update.generation)}.", gone)
        + para(
            f"Weights <code>{safe(short(update.before))}</code> to <code>{safe(short(update.after))}</code>."
        )
        + shell.part("measured", shell.listing(["measure", "value"], measured, "measures"))
        + "<h2>Its sequences</h2>"
        + shell.part(
            "batch", shell.listing(["kind", "of", "weight or advantage", "shown"], rows, "sequences")
        )
    )


def generation(run: RunView, number: str) -> str:
    """A generation: what it came to, with its tasks, proposals, attempts and updates."""
    with run.journal() as journal:
        found = find(journal, run.story, f"generation:{number}")
        body = shell.text_block(describe(journal, run.story, found), "the generation")
        updates = journal.select(
            "SELECT id FROM messages WHERE kind = 'updated' AND generation = ? ORDER BY id LIMIT ?",
            [int(number), parts.LISTED],
        )
    ids = ", ".join(shell.message_link(run, row[0], f"update {row[0]}") for row in updates)
    query = f"generation={int(number)}"
    links = [shell.link(f"{run.url}/{kind}?{query}", kind) for kind in ("tasks", "proposals", "attempts")]
    return (
        f"<h1>Generation {int(number)}</h1>"
        + para("Its", ", ".join(links) + ".", f"Updates: {ids}." if ids else "It made no update.")
        + shell.part("generation", body)
    )


def exam_of(journal: Journal, run: RunView, name: str) -> ExamSet:
    """The exam of a name. Raises RecordError where the run has none."""
    found = find(journal, run.story, f"exam:{name}")
    if not isinstance(found, ExamSet):
        raise RecordError(f"the run has no exam {name!r}", "the sealed exam is exam/sealed")
    return found


def plain(run: RunView, what: str) -> dict[str, Any]:
    """One thing as JSON, for programs."""
    with run.journal() as journal:
        return as_json(find(journal, run.story, what))
