"""`report.html`: one page, in one file, that a person reads to know what a run was for and what came of it.

    write_report(RunView.read(folder, "default", story), folder / "report.html")

It is made of the page's own parts, in one order, and frozen: links to other views go away, pictures lie inside. It
needs no network and no script, and follows the reader's light or dark preference.
"""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from autotelic.dashboard.markup import safe
from autotelic.dashboard.page import exams, first, making, measured, results, shell, words, work
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.page.seen import picture
from autotelic.errors import AutotelicError

Fragment = Callable[[RunView], str]
SECTIONS: Sequence[tuple[str, str, str, Fragment]] = (
    ("result", "Result", "exam/sealed", results.result),
    ("curves", "Learning curves", "exam/sealed", results.curves),
    ("cells", "By mode and level", "exam/sealed", results.cells),
    ("then-and-now", "Then and now", "then-and-now", exams.told),
    ("practice", "What does it practise?", "", first.practice),
    ("curriculum", "What it practised", "generations", making.curriculum),
    ("proposer", "The proposer", "proposals", making.proposer),
    ("critic", "The critic", "critic", making.critic),
    ("learning", "Learning", "learning", making.learning),
    ("time", "Where the time went", "learning", making.time),
    ("decisions", "Decisions", "oversight", making.decisions),
    ("work", "Some of its work", "attempts", work.samples),
    ("charter", "The charter", "charter", measured.settings),
    ("words", "Words", "words", words.explained),
)
"""Parts of the report in its order: anchor, title, the view of the page that shows the same part, what makes it."""
_LINK = re.compile(r'<a href="([^"]*)"[^>]*>(.*?)</a>', re.DOTALL)
_EXPORT = re.compile(r'<(figcaption|p) class="export">.*?</\1>', re.DOTALL)
_LIVE = re.compile(r' data-(?:plot|part)="[^"]*"')
_PICTURE = re.compile(r'src="[^"]*/picture/([0-9a-f]{64})"')


def write_report(run: RunView, path: Path) -> None:
    """Write the report, whole or not at all."""
    written = path.with_name(f".{path.name}.new")
    written.write_bytes(render(run).encode("utf-8", "backslashreplace"))
    os.replace(written, path)


def render(run: RunView) -> str:
    """The report as HTML; parts about what the run did not do are left out."""
    made = [
        (anchor, title, part) for anchor, title, _, make in SECTIONS if (part := _guarded(title, make, run))
    ]
    contents = "".join(f'<a href="#{anchor}">{title}</a>' for anchor, title, _ in made)
    body = "\n".join(f'<section id="{anchor}">{part}</section>' for anchor, _, part in made)
    damage = shell.alert(f"Some of this run cannot be read: {run.damage}") if run.damage else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<title>autotelic: {safe(run.name)}</title>
<style>
{shell.stylesheet()}
</style>
</head>
<body class="report">
<main>
<h1>{safe(run.name)}</h1>
{damage}{freeze(results.about(run), run)}
<nav aria-label="Contents">{contents}</nav>
{body}
<footer>Made by autotelic from the run's own journal. <code>autotelic report</code> makes it again; <code>autotelic
dash</code> shows it with all tasks, attempts and updates behind it.</footer>
</main>
</body>
</html>
"""


def freeze(part: str, run: RunView) -> str:
    """A part of the page as it stands in a file: no link leads out of it, and nothing has to be fetched."""
    anchors = {f"{run.url}/{view}": f"#{anchor}" for anchor, _, view, _ in reversed(SECTIONS) if view}

    def unlinked(found: re.Match[str]) -> str:
        place = anchors.get(found[1])
        return f'<a href="{place}">{found[2]}</a>' if place else found[2]

    def inside(found: re.Match[str]) -> str:
        content, kind = picture(run, found[1])
        return f'src="data:{kind};base64,{base64.b64encode(content).decode("ascii")}"'

    return _PICTURE.sub(inside, _LIVE.sub("", _LINK.sub(unlinked, _EXPORT.sub("", part))))


def _guarded(title: str, make: Fragment, run: RunView) -> str:
    """A part, or the line of the error that reading it met."""
    try:
        return freeze(make(run), run)
    except AutotelicError as error:
        return f"<h2>{title}</h2>{shell.alert(str(error))}"
