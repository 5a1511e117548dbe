"""Colours that people with any colour vision can tell apart, for every picture of a run.

Modes and stages take the hues of Okabe and Ito, "Color Universal Design" (2008); levels, which are ordered,
take samples of viridis. A mode keeps its colour in every picture.
"""

from __future__ import annotations

from collections.abc import Sequence

HUES = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#7F7F7F", "#F0E442", "#000000")
_VIRIDIS = ("#440154", "#46327e", "#365c8d", "#277f8e", "#1fa187", "#4ac16d", "#a0da39", "#fde725")


def hue(index: int) -> str:
    """The colour of the index-th of things that have no order."""
    return HUES[index % (len(HUES) - 1)]


def hues(names: Sequence[str]) -> dict[str, str]:
    return {name: hue(index) for index, name in enumerate(names)}


def shade(position: int, of: int) -> str:
    """The colour of the position-th of `of` things that have an order; the palest is left out as unreadable."""
    return _VIRIDIS[round(position * (len(_VIRIDIS) - 2) / max(1, of - 1))]
