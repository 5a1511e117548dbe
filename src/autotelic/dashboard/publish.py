"""All that a run leaves for people and programs, made from its record: summary, report, pictures."""

from __future__ import annotations

from autotelic.dashboard.specimens import choose
from autotelic.dashboard.story import Story, tell
from autotelic.dashboard.summary import Summary, write_summary
from autotelic.record import Record, RunFolder


def story_of(run: RunFolder) -> Story:
    """What the run has recorded so far; also while another process is running it."""
    with Record.open(run.path) as record:
        return tell(record.events())


def publish(run: RunFolder) -> Summary:
    """Write `summary.json`, `report.html` and `plots/` in the run folder, and return the summary.

    The summary comes first: it is small, and what a full disk should keep.
    """
    from autotelic.dashboard.plots import write_plots  # matplotlib takes seconds to import
    from autotelic.dashboard.report import write_report

    with Record.open(run.path) as record:
        story = tell(record.events())
        specimens = choose(record, [g.number for g in story.generations])
    summary = write_summary(story, run.path)
    write_report(story, run.report, name=run.path.name, specimens=specimens)
    write_plots(story, run.plots, run.path.name)
    return summary
