"""The record: one SQLite database a run, one writer, any number of live readers.

SQLite in WAL mode gives both at once: a reader never waits for the writer, and a process killed at any moment
leaves the last commit. Rows are only added. The one exception is `rewind`, when a run goes on from a
checkpoint: what came after it is dropped, because it will happen again, and how much was dropped is recorded.
"""

from __future__ import annotations

import errno
import json
import os
import sqlite3
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from autotelic.charter import Charter
from autotelic.errors import RecordError
from autotelic.record import rows
from autotelic.record.rows import Decode, Event, StoredAttempt
from autotelic.types import Group, LearnReport, Task

Noun = TypeVar("Noun")
Row = Sequence[Any]

NAME = "record.sqlite"
VERSION = 1
"""Of the tables below; a record of another version is refused rather than misread."""

_TABLES = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, generation INTEGER NOT NULL,
    kind TEXT NOT NULL, data TEXT NOT NULL);
CREATE INDEX events_by_kind ON events (kind);
CREATE TABLE tasks (
    row INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, generation INTEGER NOT NULL,
    domain TEXT NOT NULL, mode TEXT NOT NULL, level INTEGER NOT NULL, prompt TEXT NOT NULL,
    secret TEXT NOT NULL, signature TEXT NOT NULL, cluster TEXT NOT NULL, author TEXT NOT NULL,
    born INTEGER NOT NULL, shown TEXT NOT NULL);
CREATE TABLE attempts (
    id INTEGER PRIMARY KEY AUTOINCREMENT, task TEXT NOT NULL, generation INTEGER NOT NULL,
    role TEXT NOT NULL, answer TEXT NOT NULL, reward REAL NOT NULL, passed INTEGER NOT NULL,
    reason TEXT NOT NULL, source TEXT NOT NULL, feedback TEXT NOT NULL, turns TEXT NOT NULL,
    numbers BLOB NOT NULL);
CREATE INDEX attempts_by_task ON attempts (task);
CREATE INDEX attempts_by_generation ON attempts (generation);
CREATE TABLE updates (
    id INTEGER PRIMARY KEY AUTOINCREMENT, generation INTEGER NOT NULL, step INTEGER NOT NULL,
    data TEXT NOT NULL);
CREATE TABLE marks (
    generation INTEGER PRIMARY KEY, events INTEGER NOT NULL, tasks INTEGER NOT NULL,
    attempts INTEGER NOT NULL, updates INTEGER NOT NULL);
"""
# In WAL mode NORMAL loses no commit to a kill, and corrupts nothing in a power cut; FULL also keeps the
# commit itself through a power cut, for the price of waiting for the disk.
_QUICK = "PRAGMA synchronous = NORMAL"
_RESTORE = "restore the run folder from a copy"
_DURABLE = "PRAGMA synchronous = FULL"
_GROWING = {"events": "id", "tasks": "row", "attempts": "id", "updates": "id"}


class Record:
    """The record of one run. A connection belongs to the thread that opened it; open one a thread.

    What is written is seen by readers, and survives a kill, from the next `commit` on.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        self.path = path
        self._connection = connection

    @classmethod
    def create(cls, folder: str | Path, charter: Charter) -> Record:
        """Begin the record of a new run in its folder, committed to the digest of its charter."""
        path = Path(folder) / NAME
        if path.exists():
            raise RecordError(f"{path} exists already", "give another folder, or resume that run")
        with _clearly(path):
            connection = sqlite3.connect(path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_QUICK)
            connection.executescript(f"BEGIN;{_TABLES}PRAGMA user_version = {VERSION};")
            connection.execute("INSERT INTO meta VALUES ('charter', ?)", (charter.digest,))
            connection.commit()
        return cls(path, connection)

    @classmethod
    def open(cls, folder: str | Path, mode: Literal["r", "a"] = "r") -> Record:
        """Open a run's record to read it, also while another process writes, or to append to it.

        Raises `RecordError` when it is missing, damaged, of another version, or may not be written.
        """
        path = Path(folder) / NAME
        with _clearly(path):
            there = path.is_file()
        if not there:
            raise RecordError(f"{path} does not exist", "give the folder that `autotelic run --out` made")
        if mode == "a" and not os.access(path, os.W_OK):
            raise RecordError(f"{path} may not be written", "change its permissions or copy the run")
        with _clearly(path):
            record = cls(path, sqlite3.connect(_address(path, mode), uri=True))
        try:
            record._verify(mode)
        except RecordError:
            record.close()
            raise
        return record

    def _verify(self, mode: Literal["r", "a"]) -> None:
        version = self._read("PRAGMA user_version")[0][0]
        if version != VERSION:
            raise RecordError(
                f"{self.path} has tables of version {version}, expected {VERSION}",
                "read it with the version of autotelic that wrote it",
            )
        if mode == "a":
            self._read(_QUICK)
            if problems := self.check(quick=True):
                raise RecordError(f"{self.path} is damaged: {problems[0]}", _RESTORE)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; what was not committed is lost, as it would be by a kill."""
        self.close()

    def close(self) -> None:
        """Let go of the file. Not committing is deliberate: the caller says when a state is whole."""
        self._connection.close()

    # Writing -----------------------------------------------------------------------------------------

    def emit(self, kind: str, *, generation: int = 0, **data: Any) -> None:
        """Add one event; `data` is anything that JSON can say."""
        row = (time.time(), generation, kind, rows.to_json(data))
        self._write("INSERT INTO events (time, generation, kind, data) VALUES (?, ?, ?, ?)", [row])

    def tasks(self, tasks: Iterable[Task], generation: int) -> None:
        """Add tasks. One that is there already, by its id, stays as it was first recorded."""
        self._write(
            f"INSERT OR IGNORE INTO tasks ({rows.TASK_COLUMNS}) VALUES ({','.join('?' * 12)})",
            (rows.task_row(task, generation) for task in tasks),
        )

    def groups(self, groups: Iterable[Group], generation: int, decode: Decode | None = None) -> None:
        """Add every attempt of these groups with its verdict; `decode` adds the text of each turn."""
        self._write(
            f"INSERT INTO attempts ({rows.ATTEMPT_COLUMNS}) VALUES ({','.join('?' * 11)})",
            (row for group in groups for row in rows.attempt_rows(group, generation, decode)),
        )

    def update(self, report: LearnReport, generation: int, step: int) -> None:
        """Add what one update of the weights did."""
        row = (generation, step, rows.to_json(asdict(report)))
        self._write("INSERT INTO updates (generation, step, data) VALUES (?, ?, ?)", [row])

    def commit(self) -> None:
        """Make all of it visible to readers, and safe from a kill of this process."""
        with _clearly(self.path):
            self._connection.commit()

    def rollback(self) -> None:
        """Take back what was not committed."""
        with _clearly(self.path):
            self._connection.rollback()

    def mark(self, generation: int) -> None:
        """Commit, and note that a checkpoint of `generation` is about to be saved: `rewind` comes back here.

        Unlike `commit` this also waits for the disk, so that not even a power cut leaves a checkpoint that
        is ahead of the record.
        """
        with _clearly(self.path):
            self._connection.commit()
            self._connection.execute(_DURABLE)
            places = [
                self._connection.execute(f"SELECT coalesce(max({key}), 0) FROM {table}").fetchone()[0]
                for table, key in _GROWING.items()
            ]
            values = (generation, *places)
            self._connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?, ?, ?, ?)", values)
            self._connection.commit()
            self._connection.execute(_QUICK)

    def rewind(self, generation: int | None) -> dict[str, int]:
        """Drop what came after the mark of `generation`, and record how much that was as `run.resume`.

        None is the beginning, for a run that has no checkpoint yet. Events of the kind `run.*` stay: that a
        run was stopped and resumed is part of its history. Returns the number of rows dropped by table.
        """
        query = "SELECT events, tasks, attempts, updates FROM marks WHERE generation = ?"
        mark = [(0, 0, 0, 0)] if generation is None else self._read(query, [generation])
        if not mark:
            raise RecordError(
                f"{self.path} has no mark of generation {generation}, only of {self.marks() or 'none'}",
                "resume from a checkpoint of one of these",
            )
        dropped: dict[str, int] = {}
        with _clearly(self.path):
            for (table, key), place in zip(_GROWING.items(), mark[0], strict=True):
                keep = "AND kind NOT LIKE 'run.%'" if table == "events" else ""
                cursor = self._connection.execute(f"DELETE FROM {table} WHERE {key} > ? {keep}", (place,))
                dropped[table] = cursor.rowcount
            start = -1 if generation is None else generation
            self._connection.execute("DELETE FROM marks WHERE generation > ?", (start,))
        counts = {f"dropped_{table}": count for table, count in dropped.items()}
        self.emit("run.resume", generation=generation or 0, from_generation=generation or 0, **counts)
        self.commit()
        return dropped

    # Reading -----------------------------------------------------------------------------------------

    @property
    def charter_digest(self) -> str:
        """The digest of the charter that the record was begun with."""
        found = self._read("SELECT value FROM meta WHERE key = 'charter'")
        return str(found[0][0])

    def events(self, kind: str | None = None, after: int = 0) -> list[Event]:
        """Events in order, of one kind or all, with an id above `after`: what is new since the last look."""
        where, values = ("id > ?", [after]) if kind is None else ("id > ? AND kind = ?", [after, kind])
        return self._nouns(_event, f"SELECT * FROM events WHERE {where} ORDER BY id", values)

    def latest(self, kind: str) -> Event | None:
        """The last event of a kind, if there is one."""
        query = "SELECT * FROM events WHERE kind = ? ORDER BY id DESC LIMIT 1"
        return next(iter(self._nouns(_event, query, [kind])), None)

    def task(self, id: str) -> Task | None:
        """The task of this id, if the record has it."""
        query = f"SELECT {rows.TASK_COLUMNS} FROM tasks WHERE id = ?"
        return next(iter(self._nouns(rows.task_of, query, [id])), None)

    def tasks_of(self, generation: int) -> list[Task]:
        """The tasks first recorded in a generation, in order."""
        query = f"SELECT {rows.TASK_COLUMNS} FROM tasks WHERE generation = ? ORDER BY row"
        return self._nouns(rows.task_of, query, [generation])

    def attempts(self, *, task_id: str | None = None, generation: int | None = None) -> list[StoredAttempt]:
        """Attempts in order: those at a task, those of a generation, or those of both; all without either."""
        wanted = {"task": task_id, "generation": generation}
        asked = {column: value for column, value in wanted.items() if value is not None}
        where = " AND ".join(f"{column} = ?" for column in asked) or "1"
        query = f"SELECT id, {rows.ATTEMPT_COLUMNS} FROM attempts WHERE {where} ORDER BY id"
        return self._nouns(rows.attempt_of, query, list(asked.values()))

    def updates(self, generation: int | None = None) -> list[dict[str, Any]]:
        """What each update reported, with its `generation` and `step`, in order."""
        where, values = ("1", []) if generation is None else ("generation = ?", [generation])
        query = f"SELECT generation, step, data FROM updates WHERE {where} ORDER BY id"
        return self._nouns(_update, query, values)

    def marks(self) -> list[int]:
        """The generations that were marked before their checkpoint was saved, oldest first."""
        return [row[0] for row in self._read("SELECT generation FROM marks ORDER BY generation")]

    def counts(self) -> dict[str, int]:
        """The number of rows of each table."""
        return {table: self._read(f"SELECT count(*) FROM {table}")[0][0] for table in _GROWING}

    def each(self, table: str) -> Iterator[dict[str, Any]]:
        """The rows of `events`, `tasks`, `attempts` or `updates`, one by one, as stored."""
        if table not in _GROWING:
            raise ValueError(f"no table {table!r}; there are {', '.join(_GROWING)}")
        with _clearly(self.path):
            cursor = self._connection.execute(f"SELECT * FROM {table} ORDER BY {_GROWING[table]}")
            names = [column[0] for column in cursor.description]
            for row in cursor:
                yield dict(zip(names, row, strict=True))

    def check(self, *, quick: bool = False) -> list[str]:
        """What is damaged, in SQLite's words; empty when all is well. `quick` skips comparing the indices."""
        try:
            found = self._read(f"PRAGMA {'quick' if quick else 'integrity'}_check(5)")
        except RecordError as error:
            return [error.cause]
        return [row[0] for row in found if row[0] != "ok"]

    def _write(self, statement: str, values: Iterable[Sequence[Any]]) -> None:
        with _clearly(self.path):
            self._connection.executemany(statement, values)

    def _read(self, query: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        with _clearly(self.path):
            return self._connection.execute(query, values).fetchall()

    def _nouns(self, noun: Callable[[Row], Noun], query: str, values: Sequence[Any]) -> list[Noun]:
        found = self._read(query, values)
        try:
            return [noun(row) for row in found]
        except (ValueError, LookupError, TypeError) as error:
            raise RecordError(f"{self.path} is damaged: a row cannot be read ({error})", _RESTORE) from error


def _address(path: Path, mode: Literal["r", "a"]) -> str:
    """SQLite's URI for the file. A record on a medium that cannot be written is read as it lies."""
    if mode == "a":
        return f"{path.absolute().as_uri()}?mode=rw"
    closed = not path.with_name(NAME + "-wal").exists()
    immutable = closed and not os.access(path.parent, os.W_OK)
    return f"{path.absolute().as_uri()}?mode=ro" + ("&immutable=1" if immutable else "")


def _event(row: Row) -> Event:
    return Event(id=row[0], time=row[1], generation=row[2], kind=row[3], data=json.loads(row[4]))


def _update(row: Row) -> dict[str, Any]:
    return {"generation": row[0], "step": row[1], **json.loads(row[2])}


_CAUSES: Mapping[str, tuple[str, str]] = {
    "FULL": ("has no space left on its disk", "free some space and resume; the last commit is intact"),
    "IOERR": ("cannot be written or read", "check its disk and space; the last commit is intact"),
    "READONLY": ("may not be written", "change its permissions or copy the run"),
    "CANTOPEN": ("cannot be opened", "check the permissions of its folder"),
    "CORRUPT": ("is damaged", _RESTORE),
    "NOTADB": ("is no record: it is not an SQLite database", _RESTORE),
    "BUSY": ("is being written by another process", "wait for it to end, or stop it"),
}


@contextmanager
def _clearly(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into one line with a fix. A mistake in the SQL stays as it is."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        for code, (cause, fix) in _CAUSES.items():
            if name.startswith(f"SQLITE_{code}"):
                raise RecordError(f"{path} {cause} ({error})", fix) from error
        raise
    except OSError as error:
        full, denied = (errno.ENOSPC, errno.EDQUOT), (errno.EACCES, errno.EPERM)
        code = "FULL" if error.errno in full else "CANTOPEN" if error.errno in denied else "IOERR"
        cause, fix = _CAUSES[code]
        raise RecordError(f"{path} {cause} ({error.strerror})", fix) from error
