"""What search is worth: its choices judged on what was held back, beside a single sample and beside any of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from autotelic.attempt.search import ROUND, Searched
from autotelic.protocols import Domain
from autotelic.types import Cell, Episode, Task


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchScores:
    """Of `items`, in [0, 1]: `first` is the mean over all fresh samples, hence pass@1; `solved` what search handed in
    right; `reachable` what any sample got right. `samples` were spent at a task on average.
    """

    items: int
    first: float
    solved: float
    reachable: float
    samples: float

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def measured(domain: Domain, searched: Sequence[Searched]) -> dict[Cell, SearchScores]:
    """The scores of each cell. `first` is of the samples of each search's first round, which no check has stopped."""
    right = _right(domain, searched)
    found: dict[Cell, SearchScores] = {}
    for cell in sorted({one.task.cell for one in searched}):
        mine = [(one, hits) for one, hits in zip(searched, right, strict=True) if one.task.cell == cell]
        found[cell] = SearchScores(
            items=len(mine),
            first=_mean([_mean(hits[:ROUND]) for _, hits in mine]),
            solved=_mean([_handed_in(domain, one, hits) for one, hits in mine]),
            reachable=_mean([float(any(hits)) for _, hits in mine]),
            samples=_mean([float(one.samples) for one, _ in mine]),
        )
    return found


def curve_of(domain: Domain, searched: Sequence[Searched], spent: Sequence[int]) -> dict[int, float]:
    """The share of tasks that search has handed in right after so many samples."""
    right = _right(domain, searched)
    found: dict[int, float] = {}
    for count in spent:
        hits = []
        for one, mine in zip(searched, right, strict=True):
            cut = Searched(one.task, one.tried[:count], one.checks[:count])
            hits.append(_handed_in(domain, cut, mine[:count]))
        found[count] = _mean(hits)
    return found


def _right(domain: Domain, searched: Sequence[Searched]) -> list[list[float]]:
    """Whether each try is right, on everything the judge knows."""
    pairs: list[tuple[Task, Episode]] = [(one.task, e) for one in searched for e in one.tried]
    verdicts = iter(domain.judge(pairs))
    return [[float(bool(next(verdicts).passed)) for _ in one.tried] for one in searched]


def _handed_in(domain: Domain, one: Searched, hits: Sequence[float]) -> float:
    chosen = one.chosen(domain)
    return next((hit for e, hit in zip(one.tried, hits, strict=True) if e is chosen), 0.0)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
