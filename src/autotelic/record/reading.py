"""The journal's rows as nouns."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotelic.errors import RecordError
from autotelic.messages import Earned, RunResumed
from autotelic.record import nouns
from autotelic.record.blobs import OF_TASKS, Packed, holds, texts_of, unpack_entries
from autotelic.record.clearly import RESTORE, clearly
from autotelic.record.tables import CHUNK, GROWING, LASTING, Tables
from autotelic.types import Entry, Episode, Kind, Proposal, Task, Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEpisode:
    """An episode as the journal has it. `message` brought it; `texts` are its completions in words, where
    known.

    `verdicts` are all that were given, in order; `earned` is what credit made of it, if it came to that.
    """

    episode: Episode
    role: str
    purpose: str
    generation: int
    message: int
    texts: tuple[str, ...]
    verdicts: tuple[Verdict, ...]
    earned: Earned | None
    superseded: bool


def _joined(ranges: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same numbers in ranges that do not overlap. A run that crashes at every start would otherwise have
    as many as starts, and SQLite takes a thousand conditions.
    """
    found: list[tuple[int, int]] = []
    for first, last in sorted(pair for pair in ranges if pair[0] <= pair[1]):
        if found and first <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(last, found[-1][1]))
        else:
            found.append((first, last))
    return found


class Reading(Tables):
    """What can be read of a journal."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path, connection)
        self._ranges: list[tuple[int, int]] | None = None
        self._ranged_at = -1

    # ── about the run ────────────────────────────────────────────────────────────────────────────────────

    @property
    def run(self) -> str:
        """The run's id, which survives renaming its folder."""
        return self._meta("run")

    @property
    def charter_digest(self) -> str:
        """The digest of the charter that the journal was begun with."""
        return self._meta("charter")

    @property
    def bytes(self) -> int:
        """Size on the disk, what is not yet merged included."""
        wal = self.path.with_name(self.path.name + "-wal")
        return self.path.stat().st_size + (wal.stat().st_size if wal.exists() else 0)

    def counts(self) -> dict[str, int]:
        """The number of rows of each table, superseded ones included."""
        return {table: self._read(f"SELECT count(*) FROM {table}")[0][0] for table in GROWING}

    @property
    def newest(self) -> int:
        """The id of the last message; 0 where there is none."""
        return int(self._read("SELECT coalesce(max(id), 0) FROM messages")[0][0])

    def select(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """What SQLite says to a query of the tables, for readers that page through them. Raises RecordError."""
        return self._read(query, values)

    def tally(self, table: str, columns: Sequence[str]) -> list[tuple[Any, ...]]:
        """How many rows of a table have each value of these columns, superseded ones included: values, number.

        `columns` go into SQL as they are: never what a person or a model wrote.
        """
        names = ", ".join(columns)
        return self._read(f"SELECT {names}, count(*) FROM {table} GROUP BY {names} ORDER BY {names}")

    def each(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of a table, one by one, as stored."""
        if table not in GROWING:
            raise ValueError(f"no table {table!r}; there are {', '.join(GROWING)}")
        with clearly(self.path):
            cursor = self._connection.execute(f"SELECT * FROM {table} ORDER BY {GROWING[table]}")
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))

    # ── superseded ───────────────────────────────────────────────────────────────────────────────────────

    def ranges(self) -> list[tuple[int, int]]:
        """The ids of messages, first and last, that resumes went back on. They do not overlap."""
        newest = self._read("SELECT max(id) FROM messages WHERE kind = ?", [RunResumed.kind])[0][0] or 0
        if self._ranges is None or newest != self._ranged_at:
            rows = self._read("SELECT data FROM messages WHERE kind = ?", [RunResumed.kind])
            with self.damaged():
                said = [json.loads(row[0]) for row in rows]
                self._ranges = _joined((int(d["first"]), int(d["last"])) for d in said)
            self._ranged_at = newest
        return self._ranges

    def _live(self) -> list[str]:
        """What SQLite asks of a message that is not superseded."""
        return [f"({LASTING} OR id NOT BETWEEN {a} AND {b})" for a, b in self.ranges()]

    def is_superseded(self, message: int) -> bool:
        """Whether a resume went back on what this message brought."""
        if not any(first <= message <= last for first, last in self.ranges()):
            return False
        return not self._read(f"SELECT 1 FROM messages WHERE id = ? AND {LASTING}", [message])

    # ── nouns ────────────────────────────────────────────────────────────────────────────────────────────

    def task(self, id_: str) -> Task | None:
        """The task of this id, if the journal has it."""
        rows = self._rows_of([id_])
        return self.tasks_at([rows[id_]])[0] if rows else None

    def tasks(self, ids: Sequence[str]) -> list[Task]:
        """The tasks of these ids, in order. Raises RecordError where one is missing."""
        rows = self._rows_of(ids)
        if missing := [id_ for id_ in ids if id_ not in rows]:
            raise RecordError(f"{self.path} is damaged: it has no task {missing[0]}", RESTORE)
        return self.tasks_at([rows[id_] for id_ in ids])

    def _rows_of(self, ids: Sequence[str]) -> dict[str, int]:
        found: dict[str, int] = {}
        wanted = list(dict.fromkeys(ids))
        for at in range(0, len(wanted), CHUNK):
            some = wanted[at : at + CHUNK]
            query = f"SELECT id, max(row) FROM tasks WHERE id IN ({','.join('?' * len(some))}) GROUP BY id"
            found |= dict(self._read(query, some))
        # An index that is damaged may name the row of another task.
        there = self._ids_at(list(found.values()))
        if any(there.get(row) != id_ for id_, row in found.items()):
            raise RecordError(f"{self.path} is damaged: its index of tasks is wrong", RESTORE)
        return found

    def tasks_at(self, rows: Sequence[int]) -> list[Task]:
        """The tasks of these rows, in order."""
        found = self._at("tasks", rows)
        with self.damaged():
            return [nouns.task_of(row) for _, row in found]

    def proposal(self, id_: int) -> Proposal | None:
        """The proposal of this id, superseded or not."""
        return next(iter(self.proposals_at([id_], missing=True)), None)

    def proposals_at(self, rows: Sequence[int], missing: bool = False) -> list[Proposal]:
        """The proposals of these ids, in order."""
        found = self._at("proposals", rows, missing)
        with self.damaged():
            return [nouns.proposal_of(id_, row) for id_, row in found]

    def episodes_at(self, rows: Sequence[int]) -> list[Episode]:
        """The episodes of these ids, in order."""
        found = self._at("episodes", rows)
        with self.damaged():
            return [nouns.episode_of(id_, row) for id_, row in found]

    def verdicts_at(self, rows: Sequence[int]) -> list[Verdict]:
        """The verdicts of these rows, in order."""
        found = self._at("verdicts", rows)
        with self.damaged():
            return [nouns.verdict_of(row) for _, row in found]

    def credits_at(self, rows: Sequence[int]) -> list[Earned]:
        """What was earned, by row, in order."""
        found = self._at("credits", rows)
        with self.damaged():
            return [nouns.credit_of(row) for _, row in found]

    def entries_at(self, row: int) -> tuple[Entry, ...]:
        """The entries of one update, in order."""
        ((_, (n, kinds, refs, weights)),) = self._at("entries", [row])
        with self.damaged():
            packed = Packed(n=n, kinds=kinds, refs=refs, weights=weights)
            return unpack_entries(packed, self._ids_at)

    def messages_with(self, kind: Kind, ref: str) -> list[int]:
        """The ids of the messages of the updates whose batch holds such an entry, oldest first, superseded or
        not. Looks at every update.
        """
        with self.damaged():
            row = self._rows_of([ref]).get(ref) if kind in OF_TASKS else int(ref)
        rows = self._stream("SELECT message, kinds, refs FROM entries ORDER BY row", ())
        return [message for message, kinds, refs in rows if row is not None and holds(kinds, refs, kind, row)]

    def _ids_at(self, rows: Sequence[int]) -> dict[int, str]:
        found: dict[int, str] = {}
        wanted = list(dict.fromkeys(rows))
        for at in range(0, len(wanted), CHUNK):
            some = wanted[at : at + CHUNK]
            found |= dict(
                self._read(f"SELECT row, id FROM tasks WHERE row IN ({','.join('?' * len(some))})", some)
            )
        return found

    def episode(self, id_: int) -> StoredEpisode | None:
        """The episode of this id with all that was said of it, superseded or not."""
        return next(iter(self.episodes(ids=[id_])), None)

    def episodes(
        self, *, ids: Sequence[int] = (), task_id: str | None = None, generation: int | None = None
    ) -> list[StoredEpisode]:
        """Episodes in order: of these ids, at a task, or of a generation."""
        where, values = ["1"], list[Any](ids)
        if ids:
            where.append(f"row IN ({','.join('?' * len(ids))})")
        for column, value in (("task", task_id), ("generation", generation)):
            if value is not None:
                where.append(f"{column} = ?")
                values.append(value)
        query = f"SELECT * FROM episodes WHERE {' AND '.join(where)} ORDER BY row"
        with self.damaged():
            return [self._stored(row) for row in self._read(query, values)]

    def _stored(self, row: Sequence[Any]) -> StoredEpisode:
        id_, message, generation, *columns = row
        said = self._read("SELECT * FROM verdicts WHERE episode = ? ORDER BY row", [id_])
        earned = self._read(
            "SELECT role, ref, reward, advantage FROM credits WHERE ref = ? AND role = 'solver'", [id_]
        )
        return StoredEpisode(
            episode=nouns.episode_of(id_, columns),
            role=columns[1],
            purpose=columns[2],
            generation=generation,
            message=message,
            texts=texts_of(json.loads(columns[5])),
            verdicts=tuple(nouns.verdict_of(verdict[3:]) for verdict in said),
            earned=nouns.credit_of(earned[-1]) if earned else None,
            superseded=self.is_superseded(message),
        )

    def _at(self, table: str, rows: Sequence[int], missing: bool = False) -> list[tuple[int, Sequence[Any]]]:
        """The rows of a table by number, in the order asked for, each without what all rows have."""
        found: dict[int, Sequence[Any]] = {}
        wanted = list(dict.fromkeys(rows))
        for at in range(0, len(wanted), CHUNK):
            some = wanted[at : at + CHUNK]
            for row in self._read(f"SELECT * FROM {table} WHERE row IN ({','.join('?' * len(some))})", some):
                found[row[0]] = row[3:]
        if missing:
            return [(row, found[row]) for row in rows if row in found]
        if lost := [row for row in wanted if row not in found]:
            raise RecordError(f"{self.path} is damaged: it has no row {lost[0]} of {table}", RESTORE)
        return [(row, found[row]) for row in rows]
