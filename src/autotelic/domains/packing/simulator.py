"""Items that arrive one by one, and bins that they are put into at once.

The setting is that of FunSearch (Romera-Paredes et al., Nature 625, 2024): a priority is computed for each bin that
has room for the item, and the item goes into the bin of highest priority. Bins of equal room are alike, so that a
state is a number of bins for each room, and a priority function is a table.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from autotelic.domains.expressions import Array, Formula, parse

Items = NDArray[np.int64]
Orders = tuple[tuple[int, ...], ...]
Ranks = NDArray[np.int16]
NAMES = ("item", "room", "gap")
"""What a priority sees, each in percent of a bin: the item, the room of a bin, and what the item would leave."""
BEST_FIT = "-gap"
HOPELESS = 1.25
"""A packing is given up at so many bins for each of the lower bound: it can only get worse."""
DIGITS = 9
"""Decimals of a priority."""
LANES = 512
"""Packings done side by side: their tables stay in the processor's cache."""
LOOKS = 8
"""Times in a packing that hopeless lanes are left out."""
UNFIT, EMPTY = 16_000, 8_000
"""Added to the rank of a room that is too small, and of one that no bin has. A new bin always fits, so that neither
is ever the least."""


def orders(priority: Formula, capacity: int) -> Orders:
    """For each size of item, the rooms that it fits into, the highest priority first.

    Equal priorities prefer the smaller room. An undefined priority comes last. All priorities are computed at once.
    """
    order, size = _sorted(priority, capacity), np.arange(capacity + 1)
    return tuple(tuple(row[row >= least].tolist()) for least, row in zip(size, order, strict=True))


def _sorted(priority: Formula, capacity: int) -> NDArray[np.int64]:
    """For each size all rooms, the highest priority first. [capacity + 1, capacity + 1]"""
    size = np.arange(capacity + 1, dtype=np.float64) * (100.0 / capacity)
    item, room = size[:, None], size[None, :]
    found = priority({"item": item, "room": room, "gap": room - item})
    # What is equal but for rounding, such as `room-gap` and `item`, is equal.
    with np.errstate(over="ignore"):
        rounded = np.round(found, DIGITS)
    finite = np.nan_to_num(rounded, nan=-np.inf, posinf=1e300, neginf=-1e300)
    table = np.broadcast_to(finite, (capacity + 1, capacity + 1))
    return np.argsort(-table, axis=1, kind="stable")


def bins_needed(order: Orders, items: Items, capacity: int) -> int:
    """How many bins an order needs for these items; where it is hopeless, how many it had when it was given up.

    A scan ends at the first room of which there is a bin, so that it is faster than an argmax over all bins.
    """
    count = len(items)
    # A bin that does not exist yet has all its room, and there is one for each item.
    number = [0] * capacity + [count]
    least = count - int(HOPELESS * lower_bound(items, capacity)) - 1
    for item in items.tolist():
        for room in order[item]:
            if number[room]:
                number[room] -= 1
                number[room - item] += 1
                break
        if number[capacity] < least:
            break
    return count - number[capacity]


def ranks(priority: Formula, capacity: int) -> Ranks:
    """The place of each room in `orders`, by size of item; `UNFIT` where too small. [capacity + 1, capacity + 1]"""
    found = np.empty((capacity + 1, capacity + 1), dtype=np.int16)
    place = np.arange(capacity + 1, dtype=np.int16)[None, :]
    np.put_along_axis(found, _sorted(priority, capacity), np.broadcast_to(place, found.shape), axis=1)
    found[np.tri(capacity + 1, k=-1, dtype=bool)] = UNFIT
    return found


def bins_side_by_side(
    tables: Sequence[Ranks], lanes: Sequence[tuple[int, Items]], capacity: int
) -> list[int]:
    """`bins_needed` of many packings of equally many items: each lane is the number of its table, and its items.

    The numbers are those of `bins_needed`, but for hopeless lanes, which have what they had when they were left out.
    """
    found: list[int] = []
    for at in range(0, len(lanes), LANES):
        found += _side_by_side(tables, lanes[at : at + LANES], capacity)
    return found


def _side_by_side(tables: Sequence[Ranks], lanes: Sequence[tuple[int, Items]], capacity: int) -> list[int]:
    used = sorted({table for table, _ in lanes})
    rank = np.stack([tables[table] for table in used])
    which = np.searchsorted(used, [table for table, _ in lanes])
    items = np.stack([sizes for _, sizes in lanes])
    most = np.array([int(HOPELESS * lower_bound(sizes, capacity)) + 1 for sizes in items])
    n, count = items.shape
    number = np.zeros((n, capacity + 1), dtype=np.int32)
    number[:, capacity] = count
    empty = np.full((n, capacity + 1), EMPTY, dtype=np.int16)
    empty[:, capacity] = 0
    lane, kept, done = np.arange(n), np.arange(n), np.zeros(n, dtype=np.int64)
    for at in range(count):
        item = items[kept, at]
        room = np.argmin(rank[which[kept], item] + empty, axis=1)
        number[lane, room] -= 1
        empty[lane[number[lane, room] == 0], room[number[lane, room] == 0]] = EMPTY
        number[lane, room - item] += 1
        empty[lane, room - item] = 0
        if (at + 1) % max(1, count // LOOKS) == 0 or at + 1 == count:
            bins = count - number[:, capacity]
            done[kept] = bins
            hopeful = bins <= most[kept]
            if not hopeful.all():
                kept, number, empty = kept[hopeful], number[hopeful], empty[hopeful]
                lane = np.arange(len(kept))
            if not len(kept):
                break
    return [int(bins) for bins in done]


def first_fit(items: Items, capacity: int) -> int:
    """Bins that the oldest bin with room for each item needs."""
    rooms = np.full(len(items), capacity, dtype=np.int64)
    for item in items:
        rooms[int(np.argmax(rooms >= item))] -= item
    return int((rooms < capacity).sum())


def best_fit(items: Items, capacity: int) -> int:
    """Bins that the fullest bin with room for each item needs."""
    return bins_needed(orders(parse(BEST_FIT, NAMES), capacity), items, capacity)


def lower_bound(items: Items, capacity: int) -> int:
    """The bins that hold all items if they could be cut: the bound of FunSearch's tables."""
    return -(-int(items.sum()) // capacity)


def excess(bins: int, items: Items, capacity: int) -> float:
    """Percent of bins over the lower bound."""
    bound = lower_bound(items, capacity)
    return 100.0 * (bins - bound) / bound


def weibull(rng: np.random.Generator, shape: float, scale: float, capacity: int, count: int) -> Items:
    """Sizes of a Weibull distribution, rounded and cut to 1 to `capacity`. `scale` is in units of size."""
    drawn: Array = scale * rng.weibull(shape, count)
    return np.clip(np.rint(drawn), 1, capacity).astype(np.int64)


def uniform(rng: np.random.Generator, low: int, high: int, count: int) -> Items:
    """Whole sizes from `low` to `high`, as in the OR-library's binpack1 to binpack4."""
    return rng.integers(low, high + 1, count)
