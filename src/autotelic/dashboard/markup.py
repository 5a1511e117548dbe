"""The few shapes of HTML that pages and reports are made of. `safe` is for every word not written in this package."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def safe(value: object) -> str:
    """The value as text that cannot be markup, in an element or in an attribute."""
    return escape(str(value), quote=True)


def section(title: str, *parts: str) -> str:
    return f"<h2>{title}</h2>{''.join(parts)}"


def para(*sentences: str, style: str = "") -> str:
    """One paragraph of sentences; the style `quiet` is for what may be skipped."""
    return f'<p class="{style}">{_whole(" ".join(s for s in sentences if s))}</p>'


def titled(title: str, *parts: str) -> str:
    return f"<div><h3>{title}</h3>{''.join(parts)}</div>"


def beside(*parts: str) -> str:
    """Parts next to each other where the page is wide enough."""
    return f'<div class="{"triple" if len(parts) == 3 else "pair"}">{"".join(parts)}</div>'


def card(what: str, number: str, note: str) -> str:
    """A number that matters, with what it is above it and a note below."""
    return (
        f'<div class="card"><div class="what">{what}</div><div class="number">{number}</div>'
        f'<div class="note">{_whole(note)}</div></div>'
    )


def swatch(colour: str) -> str:
    """A little square of a colour, for a legend. An attribute, because a strict policy takes no inline style."""
    return (
        '<svg class="swatch" viewBox="0 0 10 10" aria-hidden="true">'
        f'<rect width="10" height="10" rx="2" fill="{safe(colour)}"/></svg>'
    )


def folded(summary: str, *parts: str) -> str:
    return f"<details><summary>{summary}</summary>{''.join(parts)}</details>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A table; a cell that already is a `<td>` is taken as it is."""
    heading = "".join(f'<th scope="col">{word}</th>' if word else "<td></td>" for word in head)
    body = "".join(
        f"<tr>{''.join(c if c.startswith('<td') else f'<td>{c}</td>' for c in row)}</tr>" for row in rows
    )
    # A keyboard scrolls only what can have the focus.
    around = '<div class="wide" tabindex="0" role="group" aria-label="table">'
    return f"{around}<table><tr>{heading}</tr>{body}</table></div>"


def _whole(words: str) -> str:
    """No line may end between a number and its per cent sign."""
    return words.replace(" %", "&nbsp;%")


def scrolled(chart: str, *, small: bool = False) -> str:
    """A chart in a box of its own: on a narrow screen it is scrolled, and its text stays readable."""
    size = "wide plot small" if small else "wide plot"
    return f'<div class="{size}" tabindex="0" role="group" aria-label="chart">{chart}</div>'
