"""Which known tasks a proposer is shown, to depart from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from autotelic.types import Cell, Task


def draw_references(
    pool: Iterable[Task], cells: Sequence[Cell], most: int, rng: np.random.Generator
) -> list[list[Task]]:
    """For each cell up to `most` tasks of its level, from the pool; fewer where the pool has fewer."""
    by_level: dict[int, list[Task]] = {}
    for task in pool:
        by_level.setdefault(task.level, []).append(task)
    drawn: list[list[Task]] = []
    for cell in cells:
        near = by_level.get(cell.level, [])
        count = min(most, len(near))
        drawn.append([near[int(i)] for i in rng.integers(len(near), size=count)] if count else [])
    return drawn
