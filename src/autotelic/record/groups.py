"""Messages to rows and back: the fields that hold nouns go into their tables, the rest of a message is JSON.

{"purpose": "attempt", "groups": [[task row, role, [[first episode, n], ...], first verdict], ...]}
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, replace
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar, overload

import numpy as np
from pydantic import TypeAdapter

from autotelic.messages import BY_KIND, Message
from autotelic.record import nouns
from autotelic.record.blobs import pack_entries
from autotelic.record.plain import to_json
from autotelic.types import Entry, Group, Proposal

if TYPE_CHECKING:
    from autotelic.record.journal import Journal
    from autotelic.record.reading import Reading

Kind = TypeVar("Kind", bound=Message)
Noun = TypeVar("Noun", covariant=True)
Runs = list[list[int]]
_ENVELOPE = ("id", "time", "generation", "span")
_PURPOSE = {"decided": "gate", "audited": "audit"}
"""What the attempts of a message that does not say so were made for, if not for an exam."""
_AT_ONCE = 256
"""Nouns that are read at once: enough that queries cost nothing, few enough to hold."""


class Rows(Sequence[Noun]):
    """Nouns of a message, read when they are looked at, a few hundred at a time. Their number is known
    without reading.
    """

    def __init__(self, keys: Sequence[Any], fetch: Callable[[Sequence[Any]], Sequence[Noun]]) -> None:
        self._keys = keys
        self._fetch = fetch

    def __len__(self) -> int:
        return len(self._keys)

    def __iter__(self) -> Iterator[Noun]:
        for at in range(0, len(self._keys), _AT_ONCE):
            yield from self._fetch(self._keys[at : at + _AT_ONCE])

    @overload
    def __getitem__(self, index: int) -> Noun: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Noun]: ...
    def __getitem__(self, index: int | slice) -> Noun | Sequence[Noun]:
        if isinstance(index, slice):
            return self._fetch(self._keys[index])
        return self._fetch([self._keys[index]])[0]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and len(self) == len(other) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]  # as of a list: what it is equal to may be one

    def __repr__(self) -> str:
        return f"<{len(self)} rows>"


def runs_of(numbers: Sequence[int]) -> Runs:
    """Numbers as runs of neighbours: [3, 4, 5, 9] is [[3, 3], [9, 1]]."""
    found: Runs = []
    for number in numbers:
        if found and number == found[-1][0] + found[-1][1]:
            found[-1][1] += 1
        else:
            found.append([number, 1])
    return found


def numbers_of(runs: Sequence[Sequence[int]]) -> list[int]:
    """The inverse of `runs_of`."""
    return [first + at for first, n in runs for at in range(n)]


def noun_fields(kind: type[Message]) -> Mapping[str, str]:
    """The fields of a class of messages that hold nouns, with their tables."""
    return _NOUNS[kind.kind]


def _noun_fields(kind: type[Message]) -> Mapping[str, str]:
    return {field.name: field.metadata["table"] for field in fields(kind) if "table" in field.metadata}


@cache
def _adapter(kind: str) -> TypeAdapter[Any]:
    return TypeAdapter(BY_KIND[kind])


_NOUNS: Mapping[str, Mapping[str, str]] = {kind: _noun_fields(cls) for kind, cls in BY_KIND.items()}


# ── writing ──────────────────────────────────────────────────────────────────────────────────────────────


def encode_message(journal: Journal, message: Kind) -> tuple[Kind, str]:
    """Store what a message brings; the message with ids for new nouns, and the rest of it as JSON."""
    kept = {
        field.name: getattr(message, field.name)
        for field in fields(message)
        if field.name not in _ENVELOPE and field.name not in noun_fields(type(message))
    }
    changed: dict[str, Any] = {}
    for name, table in noun_fields(type(message)).items():
        changed[name], kept[name] = _WRITE[table](journal, message, tuple(getattr(message, name)))
    with_ids: Kind = replace(message, **changed)
    return with_ids, to_json(kept)


def _write_tasks(journal: Journal, message: Message, tasks: Sequence[Any]) -> tuple[Any, Any]:
    return tasks, runs_of(journal.task_rows(message, tasks))


def _write_proposals(journal: Journal, message: Message, given: Sequence[Proposal]) -> tuple[Any, Any]:
    first = journal.insert("proposals", message, map(nouns.proposal_row, given))
    return tuple(replace(p, id=first + at) for at, p in enumerate(given)), runs_of(
        [first + at for at in range(len(given))]
    )


def _write_groups(journal: Journal, message: Message, groups: Sequence[Group]) -> tuple[Any, Any]:
    """Groups with episodes that may be new, and verdicts if there are any."""
    purpose = str(getattr(message, "purpose", _PURPOSE.get(message.kind, "exam")))
    tasks = journal.task_rows(message, [group.task for group in groups])
    new = [(group, episode) for group in groups for episode in group.episodes if not episode.id]
    first = journal.insert(
        "episodes", message, [nouns.episode_row(e, g.role, purpose, journal.decode) for g, e in new]
    )
    ids = iter(range(first, first + len(new)))
    known: list[Group] = []
    for group in groups:
        episodes = tuple(e if e.id else replace(e, id=next(ids)) for e in group.episodes)
        known.append(replace(group, episodes=episodes))
    rows = [
        nouns.verdict_row(e.id, v)
        for group in known
        if group.verdicts
        for e, v in zip(group.episodes, group.verdicts, strict=True)
    ]
    at = journal.insert("verdicts", message, rows) if rows else 0
    described: list[Any] = []
    for group, task in zip(known, tasks, strict=True):
        mine = at if group.verdicts else 0
        described.append([task, group.role, runs_of([e.id for e in group.episodes]), mine])
        at += len(group.verdicts)
    return tuple(known), described


def _write_credits(journal: Journal, message: Message, earned: Sequence[Any]) -> tuple[Any, Any]:
    first = journal.insert("credits", message, map(nouns.credit_row, earned))
    return earned, [[first, len(earned)]] if earned else []


def _write_entries(journal: Journal, message: Message, entries: Sequence[Any]) -> tuple[Any, Any]:
    packed = pack_entries(entries, journal.row_of_task)
    row = journal.insert("entries", message, [(packed.n, packed.kinds, packed.refs, packed.weights)])
    # As stored, in single precision: what is learned from is what is read back.
    rounded = np.array([entry.weight for entry in entries], np.float32).tolist()
    return tuple(map(_with_weight, entries, rounded)), [row, packed.n]


def _with_weight(entry: Entry, weight: float) -> Entry:
    tokens = tuple(np.array(entry.tokens, np.float32).tolist())
    same = entry.weight == weight and entry.tokens == tokens
    return entry if same else replace(entry, weight=weight, tokens=tokens)


_WRITE: Mapping[str, Callable[[Any, Message, Sequence[Any]], tuple[Any, Any]]] = {
    "tasks": _write_tasks,
    "proposals": _write_proposals,
    "episodes": _write_groups,
    "verdicts": _write_groups,
    "credits": _write_credits,
    "entries": _write_entries,
}


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────


def decode_message(journal: Reading, row: Sequence[Any]) -> Message:
    """The message of a row. Raises ValueError, LookupError or TypeError where the row is damaged."""
    id_, at, generation, kind, span, data = row
    values: dict[str, Any] = json.loads(data)
    cls = BY_KIND[kind]
    held = {name: values.pop(name) for name in noun_fields(cls)}
    values |= {"id": id_, "time": at, "generation": generation, "span": span}
    message: Message = _adapter(kind).validate_python(values)
    lazy: dict[str, Any] = {
        name: _READ[noun_fields(cls)[name]](journal, value) for name, value in held.items()
    }
    return replace(message, **lazy)


def _read_tasks(journal: Reading, runs: Any) -> Rows[Any]:
    return Rows(numbers_of(runs), journal.tasks_at)


def _read_proposals(journal: Reading, runs: Any) -> Rows[Any]:
    return Rows(numbers_of(runs), journal.proposals_at)


def _read_groups(journal: Reading, described: Any) -> Rows[Any]:
    return Rows(described, lambda some: _groups(journal, some))


def _groups(journal: Reading, described: Sequence[Any]) -> list[Group]:
    """Groups by their descriptions; what they hold is read with one query a table."""
    with journal.damaged():
        numbers = [numbers_of(runs) for _, _, runs, _ in described]
        said = [
            range(first, first + len(mine)) if first else range(0)
            for (_, _, _, first), mine in zip(described, numbers, strict=True)
        ]
        tasks = journal.tasks_at([task for task, _, _, _ in described])
        episodes = iter(journal.episodes_at([number for mine in numbers for number in mine]))
        verdicts = iter(journal.verdicts_at([row for rows in said for row in rows]))
        return [
            Group(
                task=task,
                role=role,
                episodes=tuple(islice(episodes, len(mine))),
                verdicts=tuple(islice(verdicts, len(rows))),
            )
            for task, (_, role, _, _), mine, rows in zip(tasks, described, numbers, said, strict=True)
        ]


def _read_credits(journal: Reading, runs: Any) -> Rows[Any]:
    return Rows(numbers_of(runs), journal.credits_at)


def _read_entries(journal: Reading, value: Any) -> Rows[Any]:
    row, n = value

    def fetch(places: Sequence[int]) -> list[Entry]:
        entries = journal.entries_at(row)
        return [entries[place] for place in places]

    return Rows(range(n), fetch)


_READ: Mapping[str, Callable[[Any, Any], Rows[Any]]] = {
    "tasks": _read_tasks,
    "proposals": _read_proposals,
    "episodes": _read_groups,
    "verdicts": _read_groups,
    "credits": _read_credits,
    "entries": _read_entries,
}
