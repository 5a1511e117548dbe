"""Work done in this process, item by item. Implements the `Engine` seam."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


class LocalEngine:
    """Runs a stage on each item, here and now."""

    def map(self, stage: Callable[[T], R], items: Iterable[T]) -> list[R]:
        """`stage` of each item, in order."""
        return [stage(item) for item in items]
