"""Small SVG pictures for the report: lines, heat maps and bars, in the page's own colours.

They are text, so that the report needs no image, no script and no network; colours are CSS variables, so
that one picture serves light and dark paper. All text is escaped here.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

_TEXT = 12
_ROW = 14  # the least distance of two labels, in pixels
_TICK = 48  # the distance of two ticks of the vertical axis to aim at, in pixels
Words = Callable[[float], str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One curve: points (x, y) in data units, and a band (x, low, high) behind it where there is one."""

    name: str
    colour: str
    points: Sequence[tuple[float, float]]
    band: Sequence[tuple[float, float, float]] = ()
    dashed: bool = False
    joined: bool = True
    """Whether something lies between its points. Where there is nothing, a line would claim values that no one
    measured."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Axis:
    """What an axis measures, how a value on it is written, and its ends where they are given."""

    label: str
    words: Words
    low: float | None = None
    high: float | None = None
    step_of: Sequence[float] = (1, 2, 2.5, 5, 10)
    """Steps between ticks are one of these times a power of `base`."""
    base: float = 10


def line_chart(
    lines: Sequence[Line], x: Axis, y: Axis, *, width: int = 720, height: int = 300, margin: int = 110
) -> str:
    """Curves over one axis; each is labelled at its end, where the eye already is. `margin` is for labels."""
    drawn = [line for line in lines if line.points]
    if not drawn:
        return '<p class="quiet">Nothing was measured yet.</p>'
    left, top, right, bottom = 46, 14, width - margin, height - 38
    x_low, x_high = _ends(x, [px for line in drawn for px, _ in line.points])
    tops = [py for line in drawn for _, py in line.points] + [h for line in drawn for _, _, h in line.band]
    y_low, y_high = _ends(y, tops)
    y_ticks = ticks(y_low, y_high, max(2, (bottom - top) // _TICK), y)
    if y.high is None and y_ticks[-1] < y_high and len(y_ticks) > 1:
        y_ticks.append(2 * y_ticks[-1] - y_ticks[-2])
        y_high = y_ticks[-1]

    def place(px: float, py: float) -> tuple[float, float]:
        across = left + (px - x_low) / (x_high - x_low) * (right - left)
        return across, bottom - (min(max(py, y_low), y_high) - y_low) / (y_high - y_low) * (bottom - top)

    parts = [_open(width, height, f"{y.label} over {x.label}: " + ", ".join(line.name for line in drawn))]
    for tick in y_ticks:
        across = place(x_low, tick)[1]
        parts.append(f'<line class="grid" x1="{left}" x2="{right}" y1="{across:.1f}" y2="{across:.1f}"/>')
        parts.append(_label(left - 7, across + 4, y.words(tick), "end"))
    for tick in ticks(x_low, x_high, max(2, (right - left) // 56), x):
        parts.append(_label(place(tick, y_low)[0], bottom + 16, x.words(tick), "middle"))
    parts.append(f'<line class="axis" x1="{left}" x2="{right}" y1="{bottom}" y2="{bottom}"/>')
    parts.append(_label((left + right) / 2, height - 4, x.label, "middle"))
    for line in drawn:
        if line.band:
            edge = [place(px, high) for px, _, high in line.band] + [
                place(px, low) for px, low, _ in line.band
            ][::-1]
            parts.append(f'<polygon points="{_points(edge)}" fill="{line.colour}" fill-opacity="0.14"/>')
    for line in drawn:
        path = [place(px, py) for px, py in line.points]
        dash = ' stroke-dasharray="5 4"' if line.dashed else ""
        if line.joined:
            parts.append(f'<polyline class="curve" points="{_points(path)}" stroke="{line.colour}"{dash}/>')
        if len(path) <= 24 or not line.joined:
            for (px, py), (cx, cy) in zip(line.points, path, strict=True):
                said = escape(f"{line.name}: {y.words(py)} at {x.words(px)}")
                parts.append(
                    f'<circle cx="{cx:.1f}" cy="{cy:.1f}" r="3" fill="{line.colour}">'
                    f"<title>{said}</title></circle>"
                )
    highest_first = sorted(drawn, key=lambda line: -line.points[-1][1])
    rows = _spread([place(*line.points[-1])[1] for line in highest_first], top, bottom)
    for line, row in zip(highest_first, rows, strict=True):
        said = f"{line.name} {y.words(line.points[-1][1])}"
        parts.append(_label(right + 8, row + 4, said, "start", f'fill="{line.colour}" font-weight="600"'))
    return "".join([*parts, "</svg>"])


def heat_map(
    rows: Sequence[str],
    columns: Sequence[int],
    values: Sequence[Sequence[float]],
    *,
    words: Words,
    label: str,
    width: int = 720,
) -> str:
    """Rows by columns, darker where there is more; `values[row][column]` is at least 0. Columns are the generations
    that they begin with, in order.
    """
    if not rows or not columns:
        return '<p class="quiet">Nothing was measured yet.</p>'
    left, top, tall = 104, 4, 20
    wide = (width - left - 4) / len(columns)
    most = max((v for row in values for v in row), default=0) or 1
    height = top + tall * len(rows) + 38
    parts = [_open(width, height, f"{label}, by row and generation")]
    for at, (row, shown) in enumerate(zip(rows, values, strict=True)):
        y = top + at * tall
        parts.append(_label(left - 8, y + tall - 6, row, "end"))
        for place, (column, value) in enumerate(zip(columns, shown, strict=True)):
            said = escape(f"{row}, generation {column}: {words(value)}")
            strength = 0.04 + 0.96 * value / most
            parts.append(
                f'<rect x="{left + place * wide:.2f}" y="{y}" width="{wide:.2f}" height="{tall - 1}" '
                f'fill="var(--hue-0)" fill-opacity="{strength:.3f}" shape-rendering="crispEdges">'
                f"<title>{said}</title></rect>"
            )
    whole = Axis(label="generation", words=lambda g: f"{g:.0f}", step_of=(1, 2, 5, 10))
    for tick in ticks(columns[0], max(columns[-1], columns[0] + 1), 8, whole):
        if columns[0] <= tick <= columns[-1]:
            middle = left + (bisect_right(columns, tick) - 0.5) * wide
            parts.append(_label(middle, height - 22, whole.words(tick), "middle"))
    parts.append(_label((left + width) / 2, height - 5, "generation", "middle"))
    return "".join([*parts, "</svg>"])


def stacked_bar(shares: Sequence[tuple[str, float, str]], *, label: str, width: int = 720) -> str:
    """One bar cut into named parts (name, share, colour), with the share written where it fits."""
    parts, at = [_open(width, 34, label)], 0.0
    for name, share, colour in shares:
        wide = share * width
        said = escape(f"{name} {100 * share:.1f} %")
        parts.append(
            f'<rect x="{at:.1f}" y="0" width="{max(wide - 1, 0.5):.1f}" height="34" rx="2" fill="{colour}">'
            f"<title>{said}</title></rect>"
        )
        if wide > 7 * len(name) + 46:
            parts.append(
                _label(at + wide / 2, 22, f"{name} {100 * share:.0f} %", "middle", 'class="on-colour"')
            )
        at += wide
    return "".join([*parts, "</svg>"])


def bars(amounts: Sequence[tuple[str, float]], *, words: Words, label: str, width: int = 480) -> str:
    """Horizontal bars, longest scale to the width; names on the left, amounts at the end."""
    if not amounts:
        return '<p class="quiet">None.</p>'
    left, tall = 130, 21
    most = max(amount for _, amount in amounts) or 1
    parts = [_open(width, tall * len(amounts) + 2, label)]
    for row, (name, amount) in enumerate(amounts):
        wide = amount / most * (width - left - 58)
        parts.append(_label(left - 8, row * tall + 15, name, "end"))
        parts.append(
            f'<rect x="{left}" y="{row * tall + 3}" width="{wide:.1f}" height="{tall - 6}" rx="2" '
            f'fill="var(--hue-0)" fill-opacity="0.75"/>'
        )
        parts.append(_label(left + wide + 6, row * tall + 15, words(amount), "start"))
    return "".join([*parts, "</svg>"])


def ticks(low: float, high: float, most: int, axis: Axis) -> list[float]:
    """Round values from low to high, at most `most` and one more.

    >>> ticks(0.0, 1.0, 4, Axis(label="share", words=str))
    [0.0, 0.25, 0.5, 0.75, 1.0]
    """
    rough = (high - low) / max(1, most)
    size = axis.base ** math.floor(math.log(rough, axis.base) + 1e-9)
    step = next((size * s for s in (*axis.step_of, axis.base) if size * s >= rough * 0.9), size * axis.base)
    first = math.ceil(low / step - 1e-9)
    return [round(n * step, 10) for n in range(first, math.floor(high / step + 1e-9) + 1)]


def _ends(axis: Axis, values: Sequence[float]) -> tuple[float, float]:
    low = min(values) if axis.low is None else axis.low
    high = max(values) if axis.high is None else axis.high
    # A span that rounding swallows is no span: ticks are rounded to ten places.
    return (low, high) if high - low > 1e-6 * max(1.0, abs(low)) else (low, low + max(1.0, abs(low)))


def _spread(rows: Sequence[float], top: float, bottom: float) -> list[float]:
    """The rows in order, pushed apart until no two labels overlap."""
    placed = sorted(rows)
    for at in range(1, len(placed)):
        placed[at] = max(placed[at], placed[at - 1] + _ROW)
    excess = placed[-1] - bottom
    if excess > 0:
        placed[-1] = bottom
        for at in range(len(placed) - 2, -1, -1):
            placed[at] = min(placed[at], placed[at + 1] - _ROW)
    return placed


def _open(width: int, height: int, label: str) -> str:
    return f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label, quote=True)}">'


def _label(x: float, y: float, text: str, anchor: str, extra: str = "") -> str:
    place = f'x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="{_TEXT}"'
    return f"<text {place} {extra}>{escape(text)}</text>"


def _points(path: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in path)
