"""What every view has around it: the page itself, the bar that is always in sight, links and small shapes."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from importlib.resources import files
from urllib.parse import quote, urlencode

from autotelic.dashboard import palette
from autotelic.dashboard.charts import Axis, Line, line_chart
from autotelic.dashboard.markup import safe
from autotelic.dashboard.page.runs import Health, RunView
from autotelic.dashboard.page.tables import has_parquet
from autotelic.dashboard.story import Story
from autotelic.dashboard.wording import clock, percent
from autotelic.errors import AutotelicError, command
from autotelic.types import Score

VIEWS = (
    ("", "Now"),
    ("exam/sealed", "Exam"),
    ("then-and-now", "Then and now"),
    ("tasks", "Tasks"),
    ("proposals", "Proposals"),
    ("attempts", "Attempts"),
    ("generations", "Generations"),
    ("learning", "Learning"),
    ("critic", "Critic"),
    ("oversight", "Oversight"),
    ("charter", "Charter"),
    ("words", "Words"),
    ("report", "Report"),
)
"""The views of a run, by the end of their URL, with their names."""
_STATES = {
    "waiting": "has not begun",
    "running": "running",
    "finished": "finished",
    "interrupted": "stopped by hand",
    "died": "stopped without a word",
}
Json = Mapping[str, object]
_SMALL = 420
"""Pixels: a plot that was drawn no wider than this is not stretched over a broad screen."""


def document(title: str, body: str, run: RunView | None = None, *, view: str = "") -> str:
    """A whole page. `view` is the end of the URL that the navigation marks."""
    header = '<header class="bar"><a class="home" href="/">autotelic</a></header>'
    events = ""
    if run is not None:
        header = _header(run, view)
        events = f' data-events="{safe(run.url)}/events" data-newest="{run.newest()}"'
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{safe(title)} · autotelic</title>
<link rel="stylesheet" href="/static/uPlot-1.6.32.min.css">
<link rel="stylesheet" href="/static/page.css">
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<script src="/static/uPlot-1.6.32.min.js" defer></script>
<script src="/static/page.js" defer></script>
</head>
<body{events}>
<a class="skip" href="#main">To the content</a>
{header}
<main id="main" tabindex="-1">
{body}
</main>
<footer class="foot">
<p id="connection" role="status" aria-live="polite"></p>
<p class="keys">Keys: <kbd>j</kbd> next, <kbd>k</kbd> previous link of a list, <kbd>p</kbd> pause,
<kbd>g</kbd> to the first view, <kbd>/</kbd> search.</p>
</footer>
</body>
</html>
"""


def part(name: str, *parts: str, style: str = "") -> str:
    """A piece of a page that is replaced when it changes."""
    return f'<section data-part="{safe(name)}" class="{style}">{"".join(parts)}</section>'


def guarded(name: str, make: Callable[[], str], style: str = "") -> str:
    """A piece of a page, or the line of the error that reading it met: the rest of the page is shown."""
    try:
        inner = make()
    except AutotelicError as error:
        inner = alert(str(error))
    return part(name, inner, style=style) if inner else ""


def alert(line: str) -> str:
    """A line that says what is wrong."""
    return f'<p class="alert" role="alert">{safe(line)}</p>'


def link(url: str, words: str, style: str = "") -> str:
    """A link; `words` are HTML."""
    return f'<a href="{safe(url)}"{f" class={style}" if style else ""}>{words}</a>'


def with_query(path: str, values: Mapping[str, object]) -> str:
    """A URL with those values that are not empty."""
    kept = {name: value for name, value in values.items() if value not in ("", None, 0)}
    return f"{path}?{urlencode(kept)}" if kept else path


def task_link(run: RunView, id_: str) -> str:
    return link(f"{run.url}/task/{quote(id_)}", f"<code>{safe(id_)}</code>")


def attempt_link(run: RunView, id_: int | str) -> str:
    return link(f"{run.url}/attempt/{quote(str(id_))}", f"attempt {safe(id_)}")


def proposal_link(run: RunView, id_: int | str) -> str:
    return link(f"{run.url}/proposal/{quote(str(id_))}", f"proposal {safe(id_)}")


def message_link(run: RunView, id_: int, words: str = "") -> str:
    return link(f"{run.url}/message/{id_}", words or f"message {id_}")


def generation_link(run: RunView, number: int) -> str:
    return link(f"{run.url}/generation/{number}", f"generation {number}")


def listing(head: Sequence[str], rows: Sequence[Sequence[str]], name: str, csv: str = "") -> str:
    """A table with a name, which the keys j and k walk through; `csv` is where its rows are as CSV."""
    heading = "".join(f'<th scope="col">{word}</th>' for word in head)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    files = [link(csv, "CSV of this table")] if csv else []
    if csv and has_parquet():
        files.append(link(csv.replace(".csv", ".parquet", 1), "Parquet"))
    export = f'<p class="export">{" ".join(files)}</p>' if files else ""
    return (
        f'<div class="wide" tabindex="0" role="group" aria-label="{safe(name)}"><table class="list">'
        f"<thead><tr>{heading}</tr></thead><tbody>{body}</tbody></table></div>{export}"
    )


def text_block(text: str, label: str = "") -> str:
    """A text that a model or a program wrote, as text; what cannot be printed is shown escaped."""
    shown = "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)
    name = f' role="group" aria-label="{safe(label)}"' if label else ""
    return f'<pre tabindex="0"{name}>{safe(shown.rstrip(chr(10)) or "(nothing)")}</pre>'


def plot(url: str, lines: Sequence[Line], x: Axis, y: Axis, *, height: int = 300, broad: int = 760) -> str:
    """Curves in two widths, for narrow and for broad screens: text in them keeps its size. `url` gives their
    numbers as JSON for zooming, and the picture as SVG.
    """
    if not any(line.points for line in lines):
        return '<p class="quiet">Nothing was measured yet.</p>'
    drawn = [line for line in lines if line.points]
    longest = max(len(f"{line.name} {y.words(line.points[-1][1])}") for line in drawn)
    margin = 18 + round(7.4 * longest)
    small = line_chart(lines, x, y, width=340, height=min(height, 240), margin=margin)
    large = line_chart(lines, x, y, width=broad, height=height, margin=margin)
    return (
        f'<figure class="plot" data-plot="{safe(url)}.json">'
        f'<div class="narrow">{small}</div><div class="broad{" small" if broad <= _SMALL else ""}">{large}</div>'
        f'<figcaption class="export">{link(f"{url}.svg", "SVG")} {link(f"{url}.csv", "CSV")}</figcaption></figure>'
    )


def mark(passed: bool | None) -> str:
    """Right or wrong as a sign with its word: nobody has to tell colours apart."""
    if passed is None:
        return '<span class="quiet">–</span>'
    word, sign = ("passed", "✓") if passed else ("failed", "✗")
    return f'<span class="{word}"><span aria-hidden="true">{sign}</span> {word}</span>'


# ── the bar ───────────────────────────────────────────────────────────────────────────────────────────────


def _header(run: RunView, view: str) -> str:
    story, health = run.story, run.health()
    here = ' aria-current="page"'
    views = "".join(
        f'<a href="{safe(run.url)}{"/" if end else ""}{end}"{here if end == view else ""}>{name}</a>'
        for end, name in VIEWS
    )
    facts = "".join(
        f'<span class="fact"><span class="what">{what}</span> <b>{value}</b></span>'
        for what, value in _facts(run, story, health)
    )
    notices = alert(f"Some of this run cannot be read: {run.damage}") if run.damage else ""
    if health.state == "died":
        notices += alert(f"The process of this run is gone. Go on with: {command('resume', run.path)}")
    if not run.complete:
        notices += f'<p class="notice">Reading the journal: {percent(run.read_share)} so far.</p>'
    return (
        f'<header class="bar" data-part="bar"><div class="row"><a class="home" href="/">autotelic</a>'
        f'<span class="state {health.state}"><span aria-hidden="true">●</span> '
        f"{safe(run.name)} {_STATES[health.state]}{_ago(health)}</span>{facts}"
        '<button type="button" id="pause" aria-pressed="false" hidden>Pause</button></div>'
        f"{notices}</header>"
        f'<nav aria-label="Views of the run">{views}</nav>'
    )


def _ago(health: Health) -> str:
    """When the last message came, as a time that the browser turns into an age."""
    if not health.heard:
        return ""
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(health.heard))
    return f', last message <time data-since="{health.heard:.0f}">{at}</time>'


def _facts(run: RunView, story: Story, health: Health) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    number = story.reached
    if health.state == "running":
        going = number + (story.unfinished is not None)
        found.append(("generation", f"{going}{f', {safe(story.stage)}' if story.stage else ''}"))
    elif number:
        found.append(("generations", link(f"{run.url}/generations", str(number))))
    last, before = story.after or story.before, story.before
    if last is not None:
        was = f" (was {percent(before.pass_at_1.value)})" if before and last is not before else ""
        found.append(("sealed exam", link(f"{run.url}/exam/sealed", percent(last.pass_at_1.value, 1)) + was))
    if health.state == "running" and (left := _left(story, health)):
        found.append(("left", left))
    elif story.seconds:
        found.append(("worked", clock(story.seconds)))
    if story.run is not None:
        grade = f", grade {story.leased.grade} of oversight" if story.leased else ""
        found.append(("isolation", safe(f"sandbox {story.run.sandbox}{grade}")))
        found.append(("brake", link(f"{run.url}/oversight", safe(story.brake or "no lease yet"))))
    return found


def _left(story: Story, health: Health) -> str:
    """What the nearest limit leaves, by the time since the last generation ended."""
    limits = story.allowance
    if story.run is None:
        return ""
    if limits.generations:
        return f"{max(0, limits.generations - story.reached)} generations"
    if limits.seconds:
        return clock(max(0.0, limits.seconds - story.seconds))
    return percent(1.0 - (story.spent(story.seconds) or 0.0))


def score_words(score: Score | None) -> str:
    """A score with its interval, as HTML."""
    if score is None:
        return "–"
    return (
        f"{percent(score.value, 1)} <small>({100 * score.low:.0f}–{100 * score.high:.0f}, "
        f"n&nbsp;=&nbsp;{score.n})</small>"
    )


def stylesheet() -> str:
    """The page's rules, with the colours that every picture of a run has."""
    rules = files("autotelic.dashboard.page").joinpath("static", "page.css").read_text(encoding="utf-8")
    dark = f"@media (prefers-color-scheme: dark) {{ :root {{ {palette.css(dark=True)} }} }}"
    return f":root {{ {palette.css(dark=False)} }}\n{dark}\n{rules}\n{palette.tints()}\n"
