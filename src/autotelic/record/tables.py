"""The journal's rows as SQLite has them, and whether they are what was written."""

from __future__ import annotations

import hashlib
import json
import marshal
import sqlite3
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from autotelic.errors import RecordError
from autotelic.record import closed
from autotelic.record.clearly import RESTORE, clearly
from autotelic.record.nouns import TABLES

VERIFIED = 2_500_000
"""Rows that a resume verifies, newest first: about a gigabyte, which is four hours of the default charter and
takes ten seconds. Whatever their age it also verifies the generations of lasting messages, and the tasks
that it goes on with, one by one: an id is the hash of its task.
"""
LASTING = "kind BETWEEN 'run.' AND 'run/'"
"""The messages that no resume supersedes, those of kinds `run.*`: that a run was stopped is part of its
history.
"""
CHUNK = 2_000
"""Rows, or ids of a query, that are held at once."""
GROWING: Mapping[str, str] = {"messages": "id", **dict.fromkeys(TABLES, "row")}


class Tables:
    """The tables of a journal, and the digests chained over them."""

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    def close(self) -> None:
        """Let go of the file. Not committing is deliberate: the caller says when a state is whole."""
        self._connection.close()

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with clearly(self.path):
            return self._connection.execute(query, values).fetchall()

    def _stream(self, query: str, values: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
        with clearly(self.path):
            cursor = self._connection.execute(query, values)
        while True:
            with clearly(self.path):
                rows = cursor.fetchmany(CHUNK)
            if not rows:
                return
            yield from rows

    @contextmanager
    def damaged(self) -> Iterator[None]:
        """What a damaged row makes of reading it, as a RecordError."""
        try:
            yield
        except (ValueError, LookupError, TypeError, AttributeError, EOFError) as error:
            first = (str(error).splitlines() or [type(error).__name__])[0]
            raise RecordError(f"{self.path} is damaged: a row cannot be read ({first})", RESTORE) from error

    def _meta(self, key: str) -> str:
        found = self._read("SELECT value FROM meta WHERE key = ?", [key])
        if not found:
            raise RecordError(f"{self.path} is damaged: it names no {key}", RESTORE)
        return str(found[0][0])

    # ── is it what was written ───────────────────────────────────────────────────────────────────────────

    def marks(self) -> list[int]:
        """The generations that were marked before their checkpoint was saved, oldest first."""
        return [generation for generation, _, _ in self._marks()]

    def _marks(self, newest: int = -1) -> list[tuple[int, dict[str, int], str]]:
        """Marks, oldest first: generation, places, digest. Only the `newest`, or all."""
        rows = self._read("SELECT * FROM marks ORDER BY generation DESC LIMIT ?", [newest])
        with self.damaged():
            return [(row[0], json.loads(row[1]), row[2]) for row in reversed(rows)]

    def _last_mark(self) -> tuple[dict[str, int], str]:
        marks = self._marks(newest=1)
        return marks[0][1:] if marks else (dict.fromkeys(GROWING, 0), "")

    def _places(self) -> dict[str, int]:
        """The newest row of each table."""
        return {
            table: self._read(f"SELECT coalesce(max({key}), 0) FROM {table}")[0][0]
            for table, key in GROWING.items()
        }

    def _chained(self, before: tuple[Mapping[str, int], str], places: Mapping[str, int]) -> str:
        """sha256 over the digest before, what the run is, the places, and every row between.

        Rows are hashed in marshal's second format: it has neither references nor interned strings, so that
        equal rows give equal bytes.
        """
        begun, digest = before
        meta = self._read("SELECT key, value FROM meta ORDER BY key")
        total = hashlib.sha256(f"{digest} {meta} {sorted(places.items())}".encode())
        for table, key in GROWING.items():
            cursor = self._connection.execute(
                f"SELECT * FROM {table} WHERE {key} > ? AND {key} <= ? ORDER BY {key}",
                (begun[table], places[table]),
            )
            while rows := cursor.fetchmany(CHUNK):
                total.update(marshal.dumps(rows, 2))
        return f"sha256:{total.hexdigest()}"

    def verify(self, generation: int, digest: str, most: int = VERIFIED) -> None:
        """See that the rows up to a mark are those that were written: at least the newest `most`, or all
        there are, and every generation that a lasting message is of.

        `digest` is what the checkpoint of that generation has. Raises RecordError where they are others.
        """
        wrong = RecordError(f"{self.path} is damaged: its rows are not those that were written", RESTORE)
        marks = [mark for mark in self._marks() if mark[0] <= generation]
        if not marks or marks[-1][0] != generation or marks[-1][2] != digest:
            raise wrong
        first = len(marks) - 1
        newest = sum(marks[-1][1].values())
        while first and newest - sum(marks[first - 1][1].values()) < most:
            first -= 1
        # Messages are found by their kind through an index, which no digest covers.
        if self._read("PRAGMA integrity_check(messages)") != [("ok",)]:
            raise wrong
        lasting = [row[0] for row in self._read(f"SELECT id FROM messages WHERE {LASTING} ORDER BY id")]
        before: tuple[dict[str, int], str] = (dict.fromkeys(GROWING, 0), "")
        with clearly(self.path), self.damaged():
            for number, (_, places, said) in enumerate(marks):
                begun, end = (bisect_right(lasting, place["messages"]) for place in (before[0], places))
                if (number >= first or begun < end) and self._chained(before, places) != said:
                    raise wrong
                before = (places, said)

    def check(self) -> list[str]:
        """What is damaged, one line each; empty when all is well. Reads everything."""
        try:
            closed.verify(self.path)
            said = [row[0] for row in self._read("PRAGMA integrity_check(5)")]
            if said != ["ok"]:
                lines = [line for text in said for line in text.splitlines()]
                return [f"{self.path} is damaged: {line}" for line in lines if not line.startswith("***")]
            marks = self._marks()
            if marks:
                self.verify(marks[-1][0], marks[-1][2], most=1 << 62)
        except RecordError as error:
            return [error.cause]
        return []
