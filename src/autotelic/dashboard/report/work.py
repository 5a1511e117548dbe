"""The end of the report: some of what the model wrote, and the charter it worked under."""

from __future__ import annotations

import json
from collections.abc import Sequence

from autotelic.charter import Charter
from autotelic.dashboard.report.markup import beside, folded, para, safe, section, titled
from autotelic.dashboard.specimens import Specimen
from autotelic.dashboard.story import Story
from autotelic.errors import CharterError


def samples(specimens: Sequence[Specimen]) -> str:
    """Tasks as the model saw them and as it answered them."""
    if not specimens:
        return ""
    about = "The latest task of each kind that it got right, and that it got wrong, as the model saw them."
    return section("Some of its work", para(about, style="quiet"), *map(_specimen, specimens))


def charter(story: Story) -> str:
    """All that the human decided, as TOML."""
    if not story.charter:
        return ""
    try:
        text = Charter.of(story.charter).toml()
    except CharterError as error:
        # A charter of another version can no longer be read as one, yet it is what this run was under.
        text = f"{error}\n\n{json.dumps(dict(story.charter), indent=2)}"
    return section("The charter", folded("all that a human decided", f"<pre>{safe(text)}</pre>"))


def footer() -> str:
    return (
        "<footer>Made by autotelic from the run's own record. <code>autotelic report</code> makes it again; "
        "<code>autotelic inspect</code> shows any task, attempt or generation in full.</footer>"
    )


def _specimen(specimen: Specimen) -> str:
    word = "passed" if specimen.passed else "failed"
    reason = f" ({safe(specimen.reason)})" if specimen.reason else ""
    if specimen.role == "proposer":
        about, asked, wrote = "asked to propose a task", "what it was shown", "the task it wrote"
    else:
        about = f"task {safe(specimen.task_id)}, written by {safe(specimen.author)}, attempted"
        asked, wrote = "the task", "its answer"
    return (
        f'<div class="task"><header><b>{safe(specimen.cell)}</b> {about} '
        f'in generation {specimen.generation}: <span class="{word}">{word}</span>{reason}</header>'
        + beside(
            titled(asked, f"<pre>{safe(specimen.prompt)}</pre>"),
            titled(wrote, f"<pre>{safe(specimen.completion)}</pre>"),
        )
        + "</div>"
    )
