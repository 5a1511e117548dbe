"""Sequences that begin alike.

Siblings share their whole prompt, and tasks put in words share the sentences that say what is asked and how
to answer. What a family has in common is run once: by the decode loop before the rest of its prompts; in
training in one row with that rest, where attention lets every branch see it, so that losses and gradients are
those of separate sequences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

Ints = np.ndarray[Any, np.dtype[np.int64]]
LEAST = 16
"""Tokens in common that are worth a family."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Indices of traces whose first `shared` tokens are the same; alone, a trace shares 0."""

    members: tuple[int, ...]
    shared: int

    def width(self, lengths: Sequence[int]) -> int:
        """Tokens of the family in a row: what is shared, then what each member has of its own."""
        return self.shared + sum(lengths[i] - self.shared for i in self.members)


def families(ids: Sequence[Ints], free: Sequence[int], least: int = LEAST) -> list[Family]:
    """Group sequences so that many tokens are shared. [T] each -> families, every index once.

    `free[i]` is how many of the first tokens of sequence i may be shared: those before what is predicted. A
    family shares at least `least`. In dictionary order relatives are neighbours; a family is cut where its
    neighbours have least in common as long as the parts, each sharing more, save more tokens than the whole.
    """
    order = sorted(range(len(ids)), key=lambda i: ids[i][: free[i]].tolist())
    common = [_common(ids[one][: free[one]], ids[other][: free[other]]) for one, other in pairwise(order)]
    return _best(order, common, least)[1] if order else []


def _best(order: Sequence[int], common: Sequence[int], worth: int) -> tuple[int, list[Family]]:
    """The tokens saved, and the families, of neighbours of which each pair has so much in `common`."""
    least = min(common, default=0)
    shared = least if least >= worth else 0
    saved = shared * (len(order) - 1)
    whole = [_family(order, shared)] if shared or len(order) == 1 else [_family([i], 0) for i in order]
    most = max(common, default=0)
    if least == most or most < worth:
        return saved, whole
    edges = [0, *(at + 1 for at, length in enumerate(common) if length == least), len(order)]
    parts = [_best(order[a:b], common[a : b - 1], worth) for a, b in pairwise(edges)]
    apart = sum(part for part, _ in parts)
    return (apart, [f for _, found in parts for f in found]) if apart > saved else (saved, whole)


def cut(family: Family, lengths: Sequence[int], width: int) -> list[Family]:
    """The family in parts that are each no wider than `width`, where a single member fits at all."""
    parts: list[Family] = []
    few: list[int] = []
    for i in family.members:
        if few and Family(members=(*few, i), shared=family.shared).width(lengths) > width:
            parts.append(_family(few, family.shared))
            few = []
        few.append(i)
    return [*parts, _family(few, family.shared)]


def _family(members: Sequence[int], shared: int) -> Family:
    return Family(members=tuple(members), shared=shared if len(members) > 1 else 0)


def _common(one: Ints, other: Ints) -> int:
    """How many first tokens the two have in common."""
    length = min(len(one), len(other))
    apart = np.flatnonzero(one[:length] != other[:length])
    return int(apart[0]) if len(apart) else length
