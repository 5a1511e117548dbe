"""Items of several lengths into rows of one width: the longest first, into the first row with room.

First-fit decreasing (Johnson 1973, Near-optimal bin packing algorithms): never more than 11/9 of the fewest
rows, and 6/9.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Packed(NamedTuple):
    """`places[i]` is the row of item i and where it starts in it; all items lie within `rows` by `width`."""

    places: list[tuple[int, int]]
    rows: int
    width: int


def first_fit(lengths: Sequence[int], width: int) -> Packed:
    """Place items in rows of up to `width`; ties in the order given. Raises ValueError for an item that is
    wider.
    """
    if lengths and max(lengths) > width:
        raise ValueError(f"an item of {max(lengths)} does not fit a row of {width}; make rows wider")
    room: list[int] = []
    places = [(0, 0)] * len(lengths)
    for i in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        row = next((r for r, left in enumerate(room) if left >= lengths[i]), len(room))
        if row == len(room):
            room.append(width)
        places[i] = (row, width - room[row])
        room[row] -= lengths[i]
    return Packed(places, len(room), width - min(room, default=width))
