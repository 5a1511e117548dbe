"""The sealed exam: items drawn once, before the first update, and kept from training ever after.

Its digest is recorded before anything is learned, so that nobody, the run included, can choose the questions
once the answers are known; its signatures are what training refuses.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import numpy as np

from autotelic.canonical import digest
from autotelic.errors import DomainError, RecordError
from autotelic.protocols import Answering, Demonstrating, Domain, Interactive
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Ids, Image, Lineage, Observation, Part, Task, Text

FREE = 0.05
"""Share of random answers above which an item that they pass is none: what is guessed so easily says
little.
"""
FREE_ANSWERS = 64
"""Random answers that each item is tried with: enough to tell 5 % from none, and still cheap to execute."""
PROBE = 64
"""Tasks drawn of each cell, at least: to see how many behaviours there are, and for answers to guess with."""
SPARE = 3
"""Tasks drawn of each cell for each item wanted, at least, because some are refused or repeated."""
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
    secrets included; `signatures` are their behaviours. Raises ValueError where two items behave alike.

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
        twice = [s for s, n in Counter(item.signature for item in self.items).items() if n > 1]
        if twice:
            raise ValueError(
                f"two items of the {self.name} exam have the signature {twice[0]}; ask everything once"
            )
        object.__setattr__(self, "digest", digest([asdict(item) for item in self.items]))
        object.__setattr__(self, "signatures", frozenset(item.signature for item in self.items))

    @classmethod
    def of(cls, name: str, tasks: Iterable[Task]) -> Self:
        """An exam of these tasks, of those that behave alike only the first; the others are `repeated`."""
        given = tuple(tasks)
        first: dict[str, Task] = {}
        for task in given:
            first.setdefault(task.signature, task)
        items = tuple(first.values())
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


def answered(task: Task, text: str) -> Episode:
    """A bare answer as an episode without turns, so that it can be judged."""
    return Episode(task_id=task.id, steps=(), answer=text)


def draw_sealed(
    domain: Domain,
    seed: int,
    cells: Iterable[Cell],
    items_per_cell: int,
    *,
    exclude: Container[str] = (),
) -> Exam:
    """Draw `items_per_cell` items a cell from the domain's rules, no two of which are the same question.

    Tasks whose signature is in `exclude` are refused as `known`: earlier training may have seen them. Each
    item is tried with `FREE_ANSWERS` answers that solve other tasks of its mode and form; one that more than
    `FREE` of them pass is refused as `free`, and another drawn. Such answers come from demonstrations, so a
    domain without any refuses no item as `free`, and neither does one whose episodes have several turns. At
    most a quarter of the behaviours a cell is estimated to have are sealed. What a cell is short of is in
    `missing`; nothing pads it.

    Raises `DomainError` when there is no item at all.
    """
    stock = _Stock(domain, stream(seed, "exam"), exclude)
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
        for task, reason in zip(tried, _refusals(stock, tried), strict=True):
            if reason:
                refused[reason] += 1
            else:
                chosen[task.cell].append(task)
    if stock.known:
        refused["known"] = len(stock.known)
    items = tuple(task for cell in names for task in chosen[cell])
    if not items:
        raise DomainError(
            f"the rules of the {domain.spec.name} domain gave no exam item of {', '.join(map(str, names))} "
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


def fresh_items(
    domain: Domain,
    rng: np.random.Generator,
    cells: Sequence[Cell],
    count: int,
    *,
    known: Container[str],
    sealed: Container[str],
) -> tuple[list[Task], int]:
    """`count` tasks of the rules that nothing was trained on and no exam asks, and how many are missing.

    Item i is of `cells[i % len(cells)]`. Signatures that are `known` or `sealed` are passed over, and so is
    the same question a second time. A small cell may have few others or none after `ROUNDS` draws: then there
    are fewer items.
    """
    wanted = [cells[at % len(cells)] for at in range(count)]
    found: dict[int, Task] = {}
    met = _Met(domain)
    for _ in range(ROUNDS):
        places: dict[Cell, list[int]] = {}
        for at, cell in enumerate(wanted):
            if at not in found:
                places.setdefault(cell, []).append(at)
        if not places:
            break
        for task in domain.tasks(rng, [cell for cell, at in places.items() for _ in range(SPARE * len(at))]):
            old = task.signature in known or task.signature in sealed
            if places.get(task.cell) and not old and met.add(task):
                found[places[task.cell].pop(0)] = task
    return [found[at] for at in sorted(found)], count - len(found)


def gate_items(
    domain: Domain,
    seed: int,
    cells: Sequence[Cell],
    count: int,
    *,
    met: Container[str],
    sealed: Container[str],
    before: frozenset[str] = frozenset(),
) -> list[Task]:
    """`count` tasks for a gate, new ones first; fewer only where the rules have no more.

    None has a signature of those `before`, which earlier rounds of the gate asked.

    Where the rules have too few that were not `met`, the rest may have been, but none that an exam asks. A cell of
    which all tasks show the same has one item a draw, so that draws go on as long as they give any.
    """
    items, missing = fresh_items(domain, stream(seed, "items"), cells, count, known=met, sealed=before)
    draw: tuple[int, ...] = ()
    while missing:
        new = before | {item.signature for item in items}
        more, _ = fresh_items(domain, stream(seed, "more", *draw), cells, missing, known=new, sealed=sealed)
        if not more:
            break
        items += more
        missing = count - len(items)
        draw = (len(items),)
    return items


class _Met:
    """Which questions there were. Two are the same that behave alike, or that show the same and have other
    secrets.

    An episode of several turns only begins with the prompt, so there another secret is another question.
    """

    def __init__(self, domain: Domain) -> None:
        self._by_prompt = not isinstance(domain, Interactive)
        self._signatures: set[str] = set()
        self._prompts: set[tuple[str, Observation]] = set()

    def add(self, task: Task) -> bool:
        """Whether the task is another question than all before it."""
        asked = (task.mode, task.prompt)
        if task.signature in self._signatures or (self._by_prompt and asked in self._prompts):
            return False
        self._signatures.add(task.signature)
        self._prompts.add(asked)
        return True


class _Stock:
    """Tasks of the rules: those not used yet by cell, and answers by what they may answer."""

    def __init__(self, domain: Domain, rng: np.random.Generator, exclude: Container[str]) -> None:
        self.domain = domain
        self.rng = rng
        self.exclude = exclude
        self.unused: dict[Cell, list[Task]] = {}
        self.seen: dict[Cell, Counter[str]] = {}
        self.known: set[str] = set()
        self.answers: dict[tuple[str, str], list[tuple[str, str]]] = {}
        """By mode and form: the id of a task, and the answer that solves it."""
        self._met = _Met(domain)

    def draw(self, wanted: Mapping[Cell, int]) -> None:
        """Add what of so many tasks of each cell is another question than all before it; shuffle what is
        unused.

        Common behaviours are drawn first, and to seal just these would take most from training.
        """
        if not wanted:
            return
        for cell in wanted:
            self.seen.setdefault(cell, Counter())
            self.unused.setdefault(cell, [])
        new: list[Task] = []
        for task in self.domain.tasks(self.rng, [cell for cell, n in wanted.items() for _ in range(n)]):
            self.seen[task.cell][task.signature] += 1
            if self._met.add(task):
                new.append(task)
        for task in new:
            if task.signature in self.exclude:
                self.known.add(task.signature)
            else:
                self.unused[task.cell].append(task)
        self._hold(new)
        for cell in wanted:
            tasks = self.unused[cell]
            self.unused[cell] = [tasks[i] for i in self.rng.permutation(len(tasks))]

    def _hold(self, tasks: Sequence[Task]) -> None:
        """Keep the answers that solve these tasks, where the domain holds any and judges answers alone."""
        if not isinstance(self.domain, Demonstrating) or isinstance(self.domain, Interactive):
            return
        for task, shown in zip(tasks, self.domain.demonstrate(tasks), strict=True):
            if shown is None:
                continue
            text = shown.completion
            if isinstance(self.domain, Answering):
                text = self.domain.answer(task.mode, text)
            self.answers.setdefault((task.mode, task.form), []).append((task.id, text))

    def room(self, cell: Cell) -> int:
        """How many of the cell's behaviours may be sealed."""
        return int(SEALED_SHARE * _richness(self.seen[cell]))

    def take(self, cell: Cell, n: int) -> list[Task]:
        """Up to `n` tasks of the cell that were not taken before."""
        taken, self.unused[cell] = self.unused[cell][:n], self.unused[cell][n:]
        return taken

    def guesses(self, task: Task) -> list[str] | None:
        """Up to `FREE_ANSWERS` answers of the right form that were made for other tasks; None where nobody
        knows any answer of that form.
        """
        held = self.answers.get((task.mode, task.form))
        if held is None:
            return None
        others = [answer for id, answer in held if id != task.id]
        return [others[i] for i in self.rng.permutation(len(others))[:FREE_ANSWERS]]


def _refusals(stock: _Stock, tasks: Sequence[Task]) -> list[str]:
    """Why each task is no item: `free` is easily guessed, of `rare` it cannot be told; empty where it is one.

    A guess counts where it passes; where no success is known, where it earns the highest reward there is.
    """
    guesses = [stock.guesses(task) for task in tasks]
    asked = [
        (task, answered(task, guess)) for task, row in zip(tasks, guesses, strict=True) for guess in row or ()
    ]
    verdicts = iter(stock.domain.judge(asked) if asked else ())
    top = stock.domain.spec.scale.high
    found: list[str] = []
    for row in guesses:
        if row is None:
            found.append("")
            continue
        told = [next(verdicts) for _ in row]
        passed = sum(v.reward >= top if v.passed is None else v.passed for v in told)
        found.append("rare" if len(row) < FEWEST else "free" if passed > FREE * len(row) else "")
    return found


def _richness(times: Counter[str]) -> int:
    """How many behaviours there are, at least, when those drawn were drawn so often.

    Chao's lower bound (Chao 1984, Scandinavian Journal of Statistics 11:265, bias-corrected): what was seen
    once and twice tells how much was not seen at all.
    """
    once, twice = (sum(n == k for n in times.values()) for k in (1, 2))
    return len(times) + math.floor(once * (once - 1) / (2 * (twice + 1)))


def _task(row: Mapping[str, Any]) -> Task:
    lineage = {**row["lineage"], "references": tuple(row["lineage"]["references"])}
    prompt = row["prompt"] if isinstance(row["prompt"], str) else tuple(_part(part) for part in row["prompt"])
    return Task(**{**row, "prompt": prompt, "lineage": Lineage(**lineage)})


def _part(row: Mapping[str, Any]) -> Part:
    if "text" in row:
        return Text(text=row["text"])
    return Image(digest=row["digest"]) if "digest" in row else Ids(ids=tuple(row["ids"]))
