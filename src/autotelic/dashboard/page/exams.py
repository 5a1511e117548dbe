"""Exams: every item with how each evaluation answered it, and the same items then and now."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from autotelic.dashboard.markup import para, safe, section
from autotelic.dashboard.page import results, shell
from autotelic.dashboard.page.parts import secret
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.page.seen import seen_block
from autotelic.dashboard.page.works import exam_of
from autotelic.dashboard.wording import clock, count, percent, short
from autotelic.errors import RecordError
from autotelic.messages import Evaluated
from autotelic.record import Journal
from autotelic.types import Group, Task

_SITTINGS = 12
"""Evaluations that are columns: the first, the last, and some between."""
_ITEMS = 400
"""Items that are shown at once."""
_TOLD = 6
"""Items of then and now."""
Query = Mapping[str, str]


def exam(run: RunView, name: str, query: Query) -> str:
    """An exam as items by evaluations; `change` keeps those that were gained, or lost, between first and last."""
    with run.journal() as journal:
        found = exam_of(journal, run, name)
        shown = _shown(journal, run, name, _SITTINGS)
        rows = []
        for item in found.items:
            if (change := query.get("change", "")) and _change(shown, item.id) != change:
                continue
            rows.append(
                [
                    shell.task_link(run, item.id),
                    safe(item.cell),
                    *(_outcome(e.report.outcomes.get(item.id)) for e in shown),
                ]
            )
            if len(rows) == _ITEMS:
                break
        total = len(found.items)
    head = ["item", "kind", *(_sitting(run, e) for e in shown)]
    base = f"{run.url}/exam/{safe(name)}"
    filters = ", ".join(
        shell.link(f"{base}?change={kind}" if kind else base, words)
        for kind, words in (("", "all items"), ("gained", "gained"), ("lost", "lost"))
    )
    names = [exam.exam for exam in run.story.exams if exam.exam != name]
    others = ", ".join(shell.link(f"{run.url}/exam/{each}", f"the {safe(each)} exam") for each in names)
    return (
        f"<h1>The {safe(name)} exam</h1>"
        + para(
            f"{total} items, set in {shell.generation_link(run, found.generation)}, committed to by the digest",
            f"<code>{safe(short(found.digest))}</code>.",
            f"See also {others}." if others else "",
        )
        + (_sealed_parts(run) if name == "sealed" else "")
        + "<h2>Items</h2>"
        + para(f"Show {filters}: between the first evaluation and the last.")
        + shell.part("items", shell.listing(head, rows, "items by evaluations", f"{base}/items.csv"))
        + (
            para(f"The first {_ITEMS} are shown; the CSV has all.", style="quiet")
            if len(rows) == _ITEMS
            else ""
        )
    )


def _sealed_parts(run: RunView) -> str:
    return "".join(
        shell.guarded(name, lambda make=make: make(run))  # type: ignore[misc]
        for name, make in (("result", results.result), ("curves", results.curves), ("cells", results.cells))
    )


def exam_rows(run: RunView, name: str) -> tuple[list[str], list[list[Any]]]:
    """Items by all evaluations, as a table."""
    with run.journal() as journal:
        found = exam_of(journal, run, name)
        evaluated = _evaluations(journal, name)
        head = ["item", "cell", *(f"{e.when} g{e.generation} message {e.id}" for e in evaluated)]
        rows = [
            [item.id, str(item.cell), *(e.report.outcomes.get(item.id, "") for e in evaluated)]
            for item in found.items
        ]
    return head, rows


def then_and_now(run: RunView) -> str:
    """The same sealed items, answered at the start, in the middle and at the end. Raises RecordError without any."""
    shown = run.once("told", lambda: told(run))
    if not shown:
        raise RecordError(
            f"{run.path} has no evaluation of the sealed exam yet",
            "wait for the first, before learning begins",
        )
    return '<h1 class="hidden">Then and now</h1>' + shell.part("told", shown)


def told(run: RunView) -> str:
    """A few items of the sealed exam with what was answered then and now; nothing before the first evaluation."""
    with run.journal() as journal:
        shown = _shown(journal, run, "sealed", 3)
        if not shown:
            return ""
        items = _telling(journal, shown)
        answers = [_answers(e, {item.id for item in items}) for e in shown]
        parts = [_item(run, item, shown, answers) for item in items]
    return section(
        "Then and now",
        para(
            "The same items of the sealed exam, which are never trained on, answered by the model as it was then",
            "and as it is now. Those are shown first whose answers changed from wrong to right.",
            style="quiet",
        ),
        *parts,
    )


def _item(
    run: RunView, item: Task, shown: Sequence[Evaluated], answers: Sequence[Mapping[str, Group]]
) -> str:
    columns = []
    for evaluated, found in zip(shown, answers, strict=True):
        group = found.get(item.id)
        if group is None:
            body = para("Its answer is not recorded.", style="quiet")
        else:
            verdict = group.verdicts[0] if group.verdicts else None
            episode = group.episodes[0]
            body = (
                f"<p>{shell.mark(verdict.passed if verdict else None)} {shell.attempt_link(run, episode.id)}</p>"
                + shell.text_block(episode.answer, "answer")
            )
        columns.append(f"<div><h4>{_when(evaluated)}</h4>{body}</div>")
    return (
        f'<article class="item"><h3>{safe(item.cell)}, item {shell.task_link(run, item.id)}</h3>'
        f"{seen_block(run, item.prompt, 'the item')}"
        f'<div class="columns">{"".join(columns)}</div>'
        f"<details><summary>Expected</summary>{secret(item.secret)}</details></article>"
    )


def _telling(journal: Journal, shown: Sequence[Evaluated]) -> list[Task]:
    """Items of as many kinds as there are: first those that went from wrong to right, then from right to wrong."""
    first, last = shown[0].report.outcomes, shown[-1].report.outcomes
    order = sorted(last, key=lambda id_: (first.get(id_, 0.0) - last[id_], id_))
    tasks = journal.tasks(order)
    found: list[Task] = []
    for distinct in (True, False):
        for task in tasks:
            new = task.cell not in {each.cell for each in found} if distinct else task not in found
            if new and len(found) < _TOLD:
                found.append(task)
    return found


def _answers(evaluated: Evaluated, items: set[str]) -> dict[str, Group]:
    return {group.task.id: group for group in evaluated.groups if group.task.id in items}


def _evaluations(journal: Journal, name: str) -> list[Evaluated]:
    return [
        e
        for e in journal.each_message(kinds=(Evaluated.kind,))
        if isinstance(e, Evaluated) and e.report.exam == name
    ]


def _shown(journal: Journal, run: RunView, name: str, most: int) -> list[Evaluated]:
    """At most so many evaluations of an exam, the first and the last among them. The others are not read."""
    known = run.story.evaluations_of(name)
    if len(known) > most:
        places = {round(at * (len(known) - 1) / (most - 1)) for at in range(most)}
        known = [known[place] for place in sorted(places)]
    found = [journal.message(each.message) for each in known]
    return [each for each in found if isinstance(each, Evaluated)]


def _change(evaluated: Sequence[Evaluated], id_: str) -> str:
    if not evaluated:
        return ""
    first = evaluated[0].report.outcomes.get(id_, 0.0)
    last = evaluated[-1].report.outcomes.get(id_, 0.0)
    return "gained" if last > first else "lost" if last < first else ""


def _sitting(run: RunView, evaluated: Evaluated) -> str:
    score = percent(evaluated.report.overall.pass_at_1.value)
    return shell.link(f"{run.url}/message/{evaluated.id}", f"{_when(evaluated)} {score}")


def _when(evaluated: Evaluated) -> str:
    if evaluated.when == "before":
        return "before learning"
    end = "at the end" if evaluated.when == "after" else f"generation {evaluated.generation}"
    return f"{end}, {count(evaluated.tokens)} tokens, {clock(evaluated.seconds)}"


def _outcome(value: float | None) -> str:
    if value is None:
        return "–"
    return shell.mark(value > 0) if value in (0.0, 1.0) else percent(value)
