"""Colours that people with any colour vision can tell apart, for every picture of a run.

Modes and stages take the hues of Okabe and Ito, "Color Universal Design" (2008), and two between them;
levels, which are ordered, take samples of viridis. A mode keeps its colour in every picture. Each colour
comes for light and for dark paper.
"""

from __future__ import annotations

HUES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7A5195", "#8C6D31", "#7F7F7F")
_HUES_ON_DARK = (
    "#4FB0E8",
    "#F4814A",
    "#2CC79B",
    "#E69AC2",
    "#F0B43C",
    "#9AD7FA",
    "#B890D0",
    "#C9A765",
    "#A8A8A8",
)
_VIRIDIS = (
    "#440154",
    "#472f7d",
    "#39568c",
    "#2a788e",
    "#1f988b",
    "#35b779",
    "#7ad151",
    "#bddf26",
    "#fde725",
)
SHADES = 6
TINTS = 10
"""Steps from no success to all of it, of the ground of a table's cell."""
_DEEPEST = 36
"""Per cent of blue in the deepest tint: text in the colour of ink keeps a contrast of 4.5 on it."""


def hue(index: int) -> str:
    """The colour of the index-th of things that have no order."""
    return HUES[index % len(HUES)]


def shade(position: int, of: int) -> str:
    """The colour of the position-th of `of` things that have an order."""
    return _VIRIDIS[shade_index(position, of)]


def shade_index(position: int, of: int) -> int:
    """Spread `of` things over the shades, ends included."""
    return round(position * SHADES / max(1, of - 1))


def css(dark: bool) -> str:
    """The colours as CSS variables: --hue-0 and on for hues, --shade-0 and on for shades."""
    shades = _VIRIDIS[::-1] if dark else _VIRIDIS
    hues = _HUES_ON_DARK if dark else HUES
    named = [(f"--hue-{index}", colour) for index, colour in enumerate(hues)]
    named += [(f"--shade-{index}", colour) for index, colour in enumerate(shades[: SHADES + 1])]
    return " ".join(f"{name}: {colour};" for name, colour in named)


def tints() -> str:
    """Classes `tint-0` to `tint-10` for the cells of a table: the more, the bluer."""
    return " ".join(
        f".tint-{step} {{ background: color-mix(in srgb, var(--hue-0) "
        f"{round(_DEEPEST * step / TINTS)}%, var(--card)); }}"
        for step in range(TINTS + 1)
    )
