"""Some of what the model wrote: a part of the page and of the report."""

from __future__ import annotations

from autotelic.dashboard.markup import beside, folded, para, safe, section, titled
from autotelic.dashboard.page import shell
from autotelic.dashboard.page.parts import secret
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.specimens import Specimen, choose


def samples(run: RunView) -> str:
    """Tasks as the model saw them and as it answered them. Raises RecordError where the journal is damaged."""
    with run.journal() as journal:
        specimens = choose(journal, run.story)
    if not specimens:
        return ""
    about = (
        "Of each mode the hardest attempt of the last three generations that passed, and one that failed; and the",
        "same of proposals. What the tests expected stands beside the answer.",
    )
    found, before = [], ""
    for one in specimens:
        found.append(_specimen(run, one, again=bool(one.task) and one.task == before))
        before = one.task
    return section("Some of its work", para(*about, style="quiet"), *found)


def _specimen(run: RunView, specimen: Specimen, *, again: bool) -> str:
    """One of them. `again` is whether the one before was at the same task, which is then not shown again."""
    number = specimen.link.partition(":")[2]
    cell, born = f"<b>{safe(specimen.cell)}</b>", shell.generation_link(run, specimen.generation)
    said = f'<span class="{"passed" if specimen.good else "failed"}">{safe(specimen.outcome)}</span>'
    if specimen.role == "proposer":
        head = f"{cell}, {shell.proposal_link(run, number)} in {born}: {said}"
        left = titled("The tasks that it was shown", shell.text_block(specimen.prompt, "tasks it was shown"))
        right = titled("What it wrote", shell.text_block(specimen.completion, "what it wrote"))
    else:
        which = "the same task" if again else f"a task written by {safe(specimen.author)}"
        head = f"{cell}, {which}, {shell.attempt_link(run, number)} in {born}: {said}"
        left = "" if again else titled("The task", shell.text_block(specimen.prompt, "the task"))
        expected = folded("What the judge knows", secret(specimen.expected)) if not again else ""
        right = titled("Its answer", shell.text_block(specimen.completion, "its answer")) + expected
    columns = beside(*(part for part in (left, f"<div>{right}</div>") if part))
    return f'<div class="task"><header>{head}</header>{columns}</div>'
