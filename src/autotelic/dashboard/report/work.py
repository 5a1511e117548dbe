"""The end of the report: some of what the model wrote, and the charter it worked under."""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.charter import Charter
from autotelic.dashboard.report.markup import beside, folded, para, safe, section, titled
from autotelic.dashboard.specimens import Specimen
from autotelic.dashboard.story import Story


def samples(specimens: Sequence[Specimen]) -> str:
    """Tasks as the model saw them and as it answered them."""
    if not specimens:
        return ""
    about = (
        "Of each kind the hardest late attempt that went well and one that did not, as the model saw them."
    )
    return section("Some of its work", para(about, style="quiet"), *map(_specimen, specimens))


def charter(story: Story) -> str:
    """All that the human decided, as TOML."""
    if story.run is None:
        return ""
    text = Charter.of(story.run.charter).toml()
    return section("The charter", folded("all that a human decided", f"<pre>{safe(text)}</pre>"))


def footer() -> str:
    return (
        "<footer>Made by autotelic from the run's own journal. <code>autotelic report</code> makes it again; "
        "<code>autotelic inspect</code> shows any task, attempt, update or generation in full.</footer>"
    )


def _specimen(specimen: Specimen) -> str:
    word = "passed" if specimen.good else "failed"
    if specimen.role == "proposer":
        about, asked, wrote = "a proposal", "the tasks that it was shown", "what it wrote"
    else:
        about = f"a task written by {safe(specimen.author)}, attempted"
        asked, wrote = "the task", "its answer"
    return (
        f'<div class="task"><header><b>{safe(specimen.cell)}</b> {about} in generation {specimen.generation}: '
        f'<span class="{word}">{safe(specimen.outcome)}</span> <code>{safe(specimen.link)}</code></header>'
        + beside(
            titled(asked, f"<pre>{safe(specimen.prompt)}</pre>"),
            titled(wrote, f"<pre>{safe(specimen.completion)}</pre>"),
        )
        + "</div>"
    )
