"""A few tasks and attempts to look at: what the numbers are numbers of."""

from __future__ import annotations

from dataclasses import dataclass

from autotelic.types import Cell


@dataclass(frozen=True, slots=True, kw_only=True)
class Specimen:
    """One attempt at one task, as text."""

    task_id: str
    cell: Cell
    author: str
    prompt: str
    generation: int
    completion: str
    passed: bool
    reason: str
