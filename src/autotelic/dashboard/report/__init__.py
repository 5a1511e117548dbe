"""`report.html`: one page, in one file, that a person reads to know what a run was for and what came of it.

    write_report(story, folder / "report.html", name="default", specimens=specimens)

The page needs no network and no script, and follows the reader's light or dark preference.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from autotelic.dashboard import palette
from autotelic.dashboard.report import making, results, work
from autotelic.dashboard.specimens import Specimen
from autotelic.dashboard.story import Story

_CHART = re.compile(r'<svg viewBox="[^"]*" role="img".*?</svg>', re.DOTALL)


def write_report(story: Story, path: Path, *, name: str, specimens: Sequence[Specimen] = ()) -> None:
    """Write the page, whole or not at all."""
    written = path.with_name(f".{path.name}.new")
    written.write_text(render(story, name, specimens), encoding="utf-8")
    os.replace(written, path)


def render(story: Story, name: str, specimens: Sequence[Specimen] = ()) -> str:
    """The page as HTML; sections about what the run did not do are left out."""
    sections = (
        results.head(story, name),
        results.headline(story),
        results.curves(story),
        results.cells(story),
        making.curriculum(story),
        making.proposer(story),
        making.critic(story),
        making.learning(story),
        making.time(story),
        making.decisions(story),
        work.samples(specimens),
        work.charter(story),
        work.footer(),
    )
    page = Template(files(__name__).joinpath("page.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=escape(f"autotelic: {name}"),
        light=palette.css(dark=False),
        dark=palette.css(dark=True),
        tints=palette.tints(),
        body="\n".join(_scrolling(section) for section in sections if section),
    )


def _scrolling(section: str) -> str:
    """Charts in boxes of their own: on a narrow screen a chart is scrolled, and its text stays readable."""
    box = '<div class="wide plot" tabindex="0" role="group" aria-label="chart">'
    return _CHART.sub(lambda found: f"{box}{found[0]}</div>", section)
