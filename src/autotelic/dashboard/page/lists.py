"""Views that are lists: tasks, proposals (refused ones too), attempts, generations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autotelic.dashboard.markup import para, safe
from autotelic.dashboard.page import shell
from autotelic.dashboard.page.making import curriculum, proposer
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.page.work import samples
from autotelic.dashboard.specimens import author_of
from autotelic.dashboard.story import Story
from autotelic.dashboard.wording import clock, count, decimal, percent, words_of
from autotelic.errors import RecordError
from autotelic.record import Journal
from autotelic.record.paging import TaskFilter, list_attempts, list_proposals, list_tasks
from autotelic.types import Task

Query = Mapping[str, str]
EXPORTED = 10_000
"""Rows of a CSV at most. Its last line then says where the next file begins."""
_LINE = 110
"""Characters of a text that a list shows."""
_LARGEST = 2**63 - 1


def whole(query: Query, name: str) -> int | None:
    """A whole number of a URL; None where there is none. Raises RecordError where it is something else."""
    text = query.get(name, "").strip()
    if not text:
        return None
    if not text.isdecimal() or int(text[:20]) > _LARGEST:
        raise RecordError(f"{name}={text[:40]} is no whole number", f"give {name}=12, say, or leave it out")
    return int(text)


def task_filter(query: Query) -> TaskFilter:
    """The filter that a URL asks for."""
    return TaskFilter(
        mode=query.get("mode", ""),
        level=whole(query, "level"),
        author=query.get("author", ""),
        result=query.get("result", ""),
        text=query.get("q", ""),
        generation=whole(query, "generation"),
    )


def tasks(run: RunView, query: Query) -> str:
    """Tasks, newest first, with search and filters."""
    story = run.story

    def rows() -> str:
        with run.journal() as journal:
            found, following = list_tasks(journal, task_filter(query), whole(query, "before") or 0)
        lines = [
            [
                shell.task_link(run, each.task.id),
                safe(each.task.cell) + _repair(each.task),
                safe(author_of(each.task.lineage)),
                shell.generation_link(run, each.generation),
                f"{each.passed} of {each.attempts}" if each.attempts else "–",
                f"<code>{safe(shortened(words_of(each.task.prompt)))}</code>",
            ]
            for each in found
        ]
        head = ["task", "kind", "written by", "in", "attempts passed", "begins"]
        csv = shell.with_query(f"{run.url}/tasks.csv", dict(query))
        return _page(f"{run.url}/tasks", query, head, lines, "tasks", csv, following)

    form = _form(
        f"{run.url}/tasks",
        _choice("mode", "mode", ["", *story.modes], query),
        _choice("level", "level", ["", *map(str, story.levels)], query),
        _choice("author", "written by", ["", "actor", "rules"], query),
        _choice("result", "attempts", ["", "passed", "failed", "attempted", "untried"], query),
        _field("generation", "generation", query),
        _field("q", "text", query, search=True),
    )
    refused = shell.link(f"{run.url}/proposals?reason=refused", "the proposals that were refused")
    return (
        "<h1>Tasks</h1>"
        + para(f"Every task that the run has, newest first. See also {refused}.", style="quiet")
        + form
        + shell.guarded("list", rows)
    )


def proposals(run: RunView, query: Query) -> str:
    """What the actor proposed, with why it was refused."""

    def rows() -> str:
        with run.journal() as journal:
            found, following = list_proposals(
                journal, query.get("reason", ""), whole(query, "generation"), whole(query, "before") or 0
            )
        lines = []
        for each in found:
            fate = each.outcome
            said = "not recorded" if fate is None else safe(fate.reason)
            if fate is not None and fate.detail:
                said += f" <small>{safe(shortened(fate.detail))}</small>"
            lines.append(
                [
                    shell.proposal_link(run, each.proposal.id),
                    safe(each.proposal.cell),
                    shell.generation_link(run, each.generation),
                    shell.task_link(run, fate.task) if fate is not None and fate.task else said,
                    f"<code>{safe(shortened(each.proposal.text))}</code>",
                ]
            )
        head = ["proposal", "asked for", "in", "became", "begins"]
        csv = shell.with_query(f"{run.url}/proposals.csv", dict(query))
        return _page(f"{run.url}/proposals", query, head, lines, "proposals", csv, following)

    reasons = ["", "admitted", "refused", *run.story.proposals.reasons]
    form = _form(
        f"{run.url}/proposals",
        _choice("reason", "became", reasons, query),
        _field("generation", "generation", query),
    )
    return (
        "<h1>Proposals</h1>"
        + shell.guarded("proposer", lambda: proposer(run))
        + "<h2>What the actor wrote when it was asked for a task</h2>"
        + form
        + shell.guarded("list", rows)
    )


def attempts(run: RunView, query: Query) -> str:
    """Attempts, newest first."""

    def rows() -> str:
        with run.journal() as journal:
            found, following = list_attempts(
                journal, query.get("purpose", ""), whole(query, "generation"), whole(query, "before") or 0
            )
            stored = journal.episodes(ids=found)[::-1] if found else []
        lines = []
        for each in stored:
            verdict = each.verdicts[-1] if each.verdicts else None
            lines.append(
                [
                    shell.attempt_link(run, each.episode.id),
                    shell.task_link(run, each.episode.task_id),
                    shell.generation_link(run, each.generation),
                    safe(each.purpose) + (" (superseded)" if each.superseded else ""),
                    shell.mark(verdict.passed) if verdict else "not judged",
                    "–" if verdict is None else decimal(verdict.reward),
                    f"<code>{safe(shortened(each.episode.answer))}</code>",
                ]
            )
        head = ["attempt", "at", "in", "for", "verdict", "reward", "answer begins"]
        return _page(f"{run.url}/attempts", query, head, lines, "attempts", "", following)

    purposes = ["", "attempt", "repair", "draft", "search", "exam", "gate", "audit"]
    form = _form(
        f"{run.url}/attempts",
        _choice("purpose", "made for", purposes, query),
        _field("generation", "generation", query),
    )
    return (
        "<h1>Attempts</h1>"
        + form
        + shell.guarded("list", rows)
        + shell.guarded("work", lambda: run.once("work", lambda: samples(run)))
    )


GENERATION_HEAD = ["generation", "ended", "tokens", "asked", "valid", "novel", "admitted", "decided"]


def generations(run: RunView) -> str:
    """Every generation in a row, newest first."""
    rows = [
        [shell.link(f"{run.url}/generation/{row[0]}", str(row[0])), *map(safe, row[1:])]
        for row in generation_rows(run.story, words=True)
    ]
    return (
        "<h1>Generations</h1>"
        + shell.guarded("curriculum", lambda: curriculum(run))
        + shell.part(
            "list",
            "<h2>One row each, newest first</h2>",
            shell.listing(GENERATION_HEAD, rows[:EXPORTED], "generations", f"{run.url}/generations.csv"),
        )
    )


def generation_rows(story: Story, *, words: bool) -> list[list[Any]]:
    """A row a generation, newest first: in words, or as numbers."""
    found: list[list[Any]] = []
    for g in reversed(story.generations):
        made, verdicts = g.proposals, ", ".join(r.verdict for r in story.rulings_of(g.number))
        shares = [made.valid_share, made.novel_share]
        if words:
            numbers: list[Any] = [clock(g.ended), count(g.total_tokens), made.asked, *map(percent, shares)]
        else:
            numbers = [g.ended, g.total_tokens, made.asked, *shares]
        found.append([g.number, *numbers, made.admitted, verdicts])
    return found


def task_rows(journal: Journal, query: Query) -> tuple[list[str], list[list[Any]]]:
    """The tasks of a filter as a table, for CSV."""
    head = ["task", "mode", "level", "author", "generation", "attempts", "passed", "prompt"]
    rows: list[list[Any]] = []
    before = whole(query, "before") or 0
    while len(rows) < EXPORTED:
        found, before = list_tasks(journal, task_filter(query), before, 500)
        rows += [
            [
                each.task.id,
                each.task.mode,
                each.task.level,
                each.task.lineage.author,
                each.generation,
                each.attempts,
                each.passed,
                words_of(each.task.prompt),
            ]
            for each in found
        ]
        if not before:
            return head, rows
    return head, [*rows, [f"there is more: add before={before} to the address"]]


def proposal_rows(journal: Journal, query: Query) -> tuple[list[str], list[list[Any]]]:
    """The proposals of a filter as a table, for CSV."""
    head = ["proposal", "cell", "generation", "task", "reason", "detail", "text"]
    rows: list[list[Any]] = []
    before = whole(query, "before") or 0
    while len(rows) < EXPORTED:
        found, before = list_proposals(
            journal, query.get("reason", ""), whole(query, "generation"), before, 500
        )
        for each in found:
            fate = each.outcome
            said = [fate.task, fate.reason, fate.detail] if fate else ["", "", ""]
            rows.append(
                [each.proposal.id, str(each.proposal.cell), each.generation, *said, each.proposal.text]
            )
        if not before:
            return head, rows
    return head, [*rows, [f"there is more: add before={before} to the address"]]


def shortened(text: str) -> str:
    """The beginning of a text in one line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text[: 4 * _LINE]).split())
    return line if len(line) <= _LINE else line[: _LINE - 1] + "…"


def _repair(task: Task) -> str:
    """That a task is a repair, where its mode does not say so."""
    return " repair" if task.is_repair and task.mode != "repair" else ""


def _page(
    path: str,
    query: Query,
    head: Sequence[str],
    lines: Sequence[Sequence[str]],
    name: str,
    csv: str,
    following: int,
) -> str:
    older = shell.with_query(path, {**query, "before": following})
    more = f"<p>{shell.link(older, 'Older ones')}</p>" if following else ""
    if lines:
        return shell.listing(head, lines, name, csv) + more
    said = "None among those that this page looked at." if following else "There is none."
    return para(said, style="quiet") + more


def _form(action: str, *fields: str) -> str:
    return (
        f'<form method="get" action="{safe(action)}" class="filter" role="search">{"".join(fields)}'
        '<button type="submit">Show</button></form>'
    )


def _choice(name: str, label: str, options: Sequence[str], query: Query) -> str:
    chosen = query.get(name, "")
    made = "".join(
        f'<option value="{safe(option)}"{" selected" if option == chosen else ""}>{safe(option) or "any"}</option>'
        for option in options
    )
    return f'<label>{label} <select name="{name}">{made}</select></label>'


def _field(name: str, label: str, query: Query, *, search: bool = False) -> str:
    kind = 'type="search" id="search"' if search else 'type="text" inputmode="numeric" size="5"'
    return f'<label>{label} <input {kind} name="{name}" value="{safe(query.get(name, ""))}"></label>'
