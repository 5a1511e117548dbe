"""All that a run leaves for people and programs, made from its journal: summary, report, pictures."""

from __future__ import annotations

from autotelic.dashboard.story import Story
from autotelic.dashboard.summary import Summary, write_summary
from autotelic.record import Journal, RunFolder


def story_of(run: RunFolder) -> Story:
    """What the run has recorded so far; also while another process is running it."""
    with Journal.open(run.path) as journal:
        return Story.of(journal.each_message())


def publish(run: RunFolder) -> Summary:
    """Write `summary.json`, `report.html` and `plots/` in the run folder, and return the summary.

    The summary comes first: it is small, and what a full disk should keep.
    """
    from autotelic.dashboard.page.runs import RunView
    from autotelic.dashboard.plots import write_plots  # matplotlib takes seconds to import
    from autotelic.dashboard.report import write_report

    story = story_of(run)
    summary = write_summary(story, run.path)
    name = run.path.resolve().name
    write_report(RunView.read(run.path, name, story), run.report)
    write_plots(story, run.plots, name)
    return summary
