"""The sealed exam: items drawn once, before the first update, and kept from training ever after.

Its digest is recorded before anything is learned, so that nobody, the run included, can choose the questions
once the answers are known; its signatures are what training refuses.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from autotelic.canonical import digest
from autotelic.errors import DomainError, RecordError
from autotelic.protocols import Domain
from autotelic.streams import stream
from autotelic.types import Cell, Lineage, Task

FREE = 0.05
"""Share of random answers above which an item that they pass is none."""
PROBE = 64
"""Tasks drawn of each cell, at least: to see how many behaviours there are, and for answers to guess with."""
SPARE = 3
"""Tasks drawn of each cell for each item wanted, at least."""
FURTHER = 4
"""Times as many are drawn again of a cell that seems small, to know better how small."""
ROUNDS = 8
"""Times a cell is topped up where items were refused, before it stays short."""
SEALED_SHARE = 0.25
"""The most of a cell's behaviours that may be sealed: training is refused these, and needs the others."""
FEWEST = 8
"""Answers of its form without which it cannot be said how easily an item is guessed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exam:
    """Items that are asked and never trained on. Nothing of it changes once it is made.

    `refused` counts, by reason, what was looked at and is no item; `missing` is how many items a cell
    (`induction/1`) is short of what was asked for. `digest` is the sha256 of the canonical JSON of all items,
    secrets included; `signatures` are their behaviours.

    >>> Exam(name="sealed", items=()).digest[:15]
    'sha256:4f53cda1'
    """

    name: str
    items: tuple[Task, ...]
    refused: Mapping[str, int] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    digest: str = field(init=False)
    signatures: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        twice = [id for id, n in Counter(item.id for item in self.items).items() if n > 1]
        if twice:
            raise ValueError(f"item {twice[0]} is in the {self.name} exam twice; ask everything once")
        object.__setattr__(self, "digest", digest([asdict(item) for item in self.items]))
        object.__setattr__(self, "signatures", frozenset(item.signature for item in self.items))

    @classmethod
    def of(cls, name: str, tasks: Iterable[Task]) -> Self:
        """An exam of these tasks, of those that behave alike only the first; the others are `repeated`."""
        given = tuple(tasks)
        items = _distinct(given)
        repeated = len(given) - len(items)
        return cls(name=name, items=items, refused={"repeated": repeated} if repeated else {})

    @property
    def dropped_free(self) -> int:
        """Tasks refused because they are too easily guessed."""
        return self.refused.get("free", 0)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """The cells that have items, in the order of the items."""
        return tuple(dict.fromkeys(item.cell for item in self.items))

    def to_json(self) -> dict[str, Any]:
        """Plain JSON from which `from_json` makes the same exam."""
        return {
            "name": self.name,
            "digest": self.digest,
            "items": [asdict(item) for item in self.items],
            "refused": dict(self.refused),
            "missing": dict(self.missing),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Self:
        """The exam that was written. Raises `RecordError` when its items are not those of its digest."""
        exam = cls(
            name=data["name"],
            items=tuple(_task(row) for row in data["items"]),
            refused=data["refused"],
            missing=data["missing"],
        )
        if exam.digest != data["digest"]:
            raise RecordError(
                f"the {exam.name} exam has the digest {exam.digest}, expected {data['digest']}",
                "its items were changed after they were sealed: restore the run folder from a copy",
            )
        return exam


def draw_sealed(
    domain: Domain,
    seed: int,
    cells: Iterable[Cell],
    items_per_cell: int,
    free_answers: int,
) -> Exam:
    """Draw `items_per_cell` items a cell from the domain's rules, no two of which behave alike.

    Each item is tried with `free_answers` answers that solve other tasks of its mode and form; one that more
    than `FREE` of them pass is refused as free, and another drawn. At most a quarter of the behaviours
    a cell is estimated to have are sealed. What a cell is short of is in `missing`; nothing pads it. Raises
    `DomainError` when there is no item at all.
    """
    rng = stream(seed, "exam")
    stock = _Stock(domain, rng)
    names = tuple(dict.fromkeys(cells))
    probe = max(PROBE, SPARE * items_per_cell)
    stock.draw(dict.fromkeys(names, probe))
    stock.draw({cell: FURTHER * probe for cell in names if stock.room(cell) < items_per_cell})
    wanted = {cell: min(items_per_cell, stock.room(cell)) for cell in names}
    chosen: dict[Cell, list[Task]] = {cell: [] for cell in names}
    refused: Counter[str] = Counter()
    for _ in range(ROUNDS):
        short = {cell: wanted[cell] - len(chosen[cell]) for cell in names if wanted[cell] > len(chosen[cell])}
        if not short:
            break
        stock.draw({cell: SPARE * n for cell, n in short.items() if len(stock.unused[cell]) < n})
        tried = [task for cell, n in short.items() for task in stock.take(cell, n)]
        for task, reason in zip(tried, _refusals(stock, tried, free_answers), strict=True):
            if reason:
                refused[reason] += 1
            else:
                chosen[task.cell].append(task)
    items = tuple(task for cell in names for task in chosen[cell])
    if not items:
        raise DomainError(
            f"the rules of the {domain.name} domain gave no exam item of {', '.join(map(str, names))} "
            f"(refused: {dict(refused)})",
            "examine more levels",
        )
    missing = {str(cell): items_per_cell - len(found) for cell, found in chosen.items()}
    return Exam(
        name="sealed",
        items=items,
        refused=dict(sorted(refused.items())),
        missing={cell: n for cell, n in missing.items() if n},
    )


class _Stock:
    """Tasks of the rules: those not used yet by cell, and answers by what they may answer."""

    def __init__(self, domain: Domain, rng: np.random.Generator) -> None:
        self.domain = domain
        self.rng = rng
        self.unused: dict[Cell, list[Task]] = {}
        self.seen: dict[Cell, Counter[str]] = {}
        self.answers: dict[tuple[str, str], list[tuple[str, str]]] = {}
        """By mode and form: the id of a task, and the answer that solves it."""
        self._ids: set[str] = set()
        self._signatures: set[str] = set()

    def draw(self, wanted: Mapping[Cell, int]) -> None:
        """Add what of so many tasks of each cell behaves like nothing before it; shuffle what is unused.

        Common behaviours are drawn first, and to seal just these would take most from training.
        """
        if not wanted:
            return
        for cell in wanted:
            self.seen.setdefault(cell, Counter())
            self.unused.setdefault(cell, [])
        for task in self.domain.rules(self.rng, [cell for cell, n in wanted.items() for _ in range(n)]):
            self.seen[task.cell][task.signature] += 1
            # The id too: two behaviours may show the same examples, and be the same question.
            if task.signature not in self._signatures and task.id not in self._ids:
                self._signatures.add(task.signature)
                self._ids.add(task.id)
                self.unused[task.cell].append(task)
                answer = self.domain.answer(task.mode, self.domain.worked(task))
                self.answers.setdefault(_kind(task), []).append((task.id, answer))
        for cell in wanted:
            tasks = self.unused[cell]
            self.unused[cell] = [tasks[i] for i in self.rng.permutation(len(tasks))]

    def room(self, cell: Cell) -> int:
        """How many of the cell's behaviours may be sealed."""
        return int(SEALED_SHARE * _richness(self.seen[cell]))

    def take(self, cell: Cell, n: int) -> list[Task]:
        """Up to `n` tasks of the cell that were not taken before."""
        taken, self.unused[cell] = self.unused[cell][:n], self.unused[cell][n:]
        return taken

    def guesses(self, task: Task, n: int) -> list[str]:
        """Up to `n` answers of the right form that were made for other tasks."""
        others = [answer for id, answer in self.answers[_kind(task)] if id != task.id]
        return [others[i] for i in self.rng.permutation(len(others))[:n]]


def _refusals(stock: _Stock, tasks: Sequence[Task], answers: int) -> list[str]:
    """Why each task is no item: `free` is easily guessed, of `rare` it cannot be told; empty where it is one."""
    guesses = [stock.guesses(task, answers) for task in tasks]
    asked = [(task, guess) for task, row in zip(tasks, guesses, strict=True) for guess in row]
    verdicts = iter(stock.domain.judge(asked))
    passed = [sum(next(verdicts).passed for _ in row) for row in guesses]
    return [
        "rare" if len(row) < min(FEWEST, answers) else "free" if n > FREE * len(row) else ""
        for row, n in zip(guesses, passed, strict=True)
    ]


def _richness(times: Counter[str]) -> int:
    """How many behaviours there are, at least, when those drawn were drawn so often.

    Chao's lower bound (Chao 1984, Scandinavian Journal of Statistics 11:265, bias-corrected): what was seen
    once and twice tells how much was not seen at all.
    """
    once, twice = (sum(n == k for n in times.values()) for k in (1, 2))
    return len(times) + math.floor(once * (once - 1) / (2 * (twice + 1)))


def _kind(task: Task) -> tuple[str, str]:
    """What makes an answer of the right form: the mode, and the first word of the cluster, in which a domain
    writes the kinds of input and output (`ints>int`).
    """
    return task.mode, task.cluster.partition(" ")[0]


def _distinct(tasks: Iterable[Task]) -> tuple[Task, ...]:
    """The first of those that share a signature or an id."""
    signatures: set[str] = set()
    ids: set[str] = set()
    kept: list[Task] = []
    for task in tasks:
        if task.signature not in signatures and task.id not in ids:
            kept.append(task)
            signatures.add(task.signature)
            ids.add(task.id)
    return tuple(kept)


def _task(row: Mapping[str, Any]) -> Task:
    lineage = {**row["lineage"], "references": tuple(row["lineage"]["references"])}
    return Task(**{**row, "lineage": Lineage(**lineage)})
