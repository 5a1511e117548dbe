"""The journal: every message of a run, in one SQLite database with one writer and any number of live readers.

    append(message) ──► messages, and the nouns it brings ──► commit ──► read(after=)

SQLite in WAL mode gives both at once: a reader never waits for the writer, and a process killed at any moment
leaves every message that was appended. Rows are only added. What a resume goes back on is superseded: it
stays, under its id, and is not read unless it is asked for. `mark` chains a digest over all rows, so that
what lies on the disk need not be believed.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeVar

from autotelic.errors import RecordError
from autotelic.messages import Message, RunResumed, Updated
from autotelic.record import closed, nouns
from autotelic.record.blobs import Decode
from autotelic.record.clearly import clearly
from autotelic.record.groups import decode_message, encode_message
from autotelic.record.nouns import TABLES
from autotelic.record.plain import to_json
from autotelic.record.reading import Reading
from autotelic.types import Kind as Sequenced
from autotelic.types import Task

NAME = "journal.sqlite"
OLD_NAME = "record.sqlite"
"""What runs of autotelic 0.1.0 wrote."""
VERSION = 3
"""Of the tables below; a journal of another version is refused rather than misread."""

Kind = TypeVar("Kind", bound=Message)
# In WAL mode NORMAL loses no commit to a kill, and corrupts nothing in a power cut; FULL also keeps the
# commit itself through a power cut, for the price of waiting for the disk.
_QUICK = "PRAGMA synchronous = NORMAL"
_DURABLE = "PRAGMA synchronous = FULL"


def _schema() -> str:
    statements = [
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
        "CREATE TABLE messages (id INTEGER PRIMARY KEY AUTOINCREMENT, time REAL NOT NULL, "
        "generation INTEGER NOT NULL, kind TEXT NOT NULL, span TEXT NOT NULL, data TEXT NOT NULL)",
        "CREATE INDEX messages_by_kind ON messages (kind)",
        "CREATE TABLE marks (generation INTEGER PRIMARY KEY, rows TEXT NOT NULL, digest TEXT NOT NULL)",
    ]
    for table, columns in TABLES.items():
        own = ", ".join(columns)
        statements.append(
            f"CREATE TABLE {table} (row INTEGER PRIMARY KEY, message INTEGER NOT NULL, "
            f"generation INTEGER NOT NULL, {own})"
        )
    statements += [
        "CREATE INDEX tasks_by_id ON tasks (id)",
        "CREATE INDEX episodes_by_task ON episodes (task)",
        "CREATE INDEX verdicts_by_episode ON verdicts (episode)",
        "CREATE INDEX credits_by_ref ON credits (ref)",
        "CREATE INDEX entries_by_message ON entries (message)",
    ]
    return ";".join(statements)


class Journal(Reading):
    """The journal of one run. A connection belongs to the thread that opened it; open one a thread.

    `decode` turns token ids into text; where it is set, completions are stored in words too, for readers
    without a tokenizer.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection) -> None:
        super().__init__(path, connection)
        self.decode: Decode | None = None
        self._task_rows: dict[str, int] = {}
        self._writes = False

    # ── opening ──────────────────────────────────────────────────────────────────────────────────────────

    @classmethod
    def create(cls, folder: str | Path, charter_digest: str, run_id: str) -> Journal:
        """Begin the journal of a new run in its folder, committed to the digest of its charter."""
        path = Path(folder) / NAME
        if path.exists():
            raise RecordError(f"{path} exists already", "give another folder, or resume that run")
        with clearly(path):
            connection = sqlite3.connect(path)
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_QUICK)
            connection.executescript(f"BEGIN;{_schema()};PRAGMA user_version = {VERSION};")
            meta = [("charter", charter_digest), ("run", run_id)]
            connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)
            connection.commit()
        journal = cls(path, connection)
        journal._writes = True
        return journal

    @classmethod
    def open(cls, folder: str | Path, mode: Literal["r", "a"] = "r") -> Journal:
        """Open a run's journal to read it, also while another process writes, or to append to it.

        Raises RecordError when it is missing, damaged, of another version, or may not be written.
        """
        path = Path(folder) / NAME
        with clearly(path):
            there, old = path.is_file(), path.with_name(OLD_NAME).is_file()
        if old and not there:
            raise RecordError(
                f"{folder} is a run of autotelic 0.1.0", "read it with that version (commit b78ef97)"
            )
        if not there:
            raise RecordError(f"{path} does not exist", "give the folder that `autotelic run --out` made")
        if mode == "a" and not os.access(path, os.W_OK):
            raise RecordError(f"{path} may not be written", "change its permissions or copy the run")
        with clearly(path):
            journal = cls(path, sqlite3.connect(_address(path, mode), uri=True))
        try:
            version = journal._read("PRAGMA user_version")[0][0]
            if not version:
                raise RecordError(
                    f"{path} has no tables yet", "wait for the run to begin, or give another folder"
                )
            if version != VERSION:
                raise RecordError(
                    f"{path} has tables of version {version}, expected {VERSION}",
                    "read it with the version of autotelic that wrote it",
                )
            if mode == "a":
                closed.verify(path, most=closed.QUICKLY)
                closed.forget(path)
                journal._read(_QUICK)
                journal._writes = True
        except RecordError:
            journal.close()
            raise
        return journal

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close. What was appended is there already."""
        self.close()

    def close(self) -> None:
        """Let go of the file; who wrote it notes what it is now, so that any later change is noticed."""
        if not self._writes:
            return super().close()
        self._writes = False
        # A full disk or a reader in the way: the rows are there, and the note serves a check alone.
        with suppress(OSError, sqlite3.Error):
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        super().close()
        with suppress(OSError):
            closed.note(self.path)

    # ── writing ──────────────────────────────────────────────────────────────────────────────────────────

    def append(self, message: Kind) -> Kind:
        """Add a message and the nouns that it brings, whole or not at all, and commit; the message with its
        id and time, and with ids for new nouns.

        Each message is a commit: a reader sees it at once, however long it is the last one. In WAL mode that
        costs no wait for the disk.
        """
        message = replace(message, time=time.time())
        with clearly(self.path), self._whole():
            cursor = self._connection.execute(
                "INSERT INTO messages (time, generation, kind, span, data) VALUES (?, ?, ?, ?, '')",
                (message.time, message.generation, message.kind, message.span),
            )
            message = replace(message, id=int(cursor.lastrowid or 0))
            message, data = encode_message(self, message)
            self._connection.execute("UPDATE messages SET data = ? WHERE id = ?", (data, message.id))
        return message

    @contextmanager
    def _whole(self) -> Iterator[None]:
        """All that is written inside is committed, or nothing of it: Ctrl-C may come in the middle, and the
        run then goes on to record that it was stopped.
        """
        try:
            yield
            self._connection.commit()
        except BaseException:
            self._task_rows.clear()
            self._connection.rollback()
            raise

    def insert(self, table: str, message: Message, rows: Iterable[Sequence[Any]]) -> int:
        """Add rows to a table of nouns; the number of the first. For `groups.py` alone."""
        names = ", ".join(column.partition(" ")[0] for column in TABLES[table])
        first = int(self._read(f"SELECT coalesce(max(row), 0) FROM {table}")[0][0]) + 1
        places = ",".join("?" * (len(TABLES[table]) + 3))
        statement = f"INSERT INTO {table} (row, message, generation, {names}) VALUES ({places})"
        head = (message.id, message.generation)
        self._connection.executemany(
            statement, ((row, *head, *values) for row, values in enumerate(rows, first))
        )
        return first

    def task_rows(self, message: Message, tasks: Sequence[Task]) -> list[int]:
        """The row of each task, stored if it is not there yet. For `groups.py` alone."""
        unknown = {task.id: task for task in tasks if task.id not in self._task_rows}
        self._task_rows |= self._rows_of(list(unknown))
        new = [task for id_, task in unknown.items() if id_ not in self._task_rows]
        if new:
            first = self.insert("tasks", message, map(nouns.task_row, new))
            self._task_rows |= {task.id: first + at for at, task in enumerate(new)}
        found = [self._task_rows[task.id] for task in tasks]
        if len(self._task_rows) > 65_536:  # a cache of the last few generations, and no copy of the journal
            self._task_rows = dict(list(self._task_rows.items())[-32_768:])
        return found

    def row_of_task(self, id_: str) -> int:
        """The row of a task that is stored. Raises KeyError where there is none. For `groups.py` alone."""
        if id_ not in self._task_rows:
            self._task_rows |= self._rows_of([id_])
        return self._task_rows[id_]

    def mark(self, generation: int) -> str:
        """Note that a checkpoint of `generation` is about to be saved: `rewind` comes back here.

        Unlike `append` this also waits for the disk, so that not even a power cut leaves a checkpoint that is
        ahead of the journal. Returns the digest of all rows so far, chained from mark to mark, for the
        checkpoint to keep.
        """
        with clearly(self.path):
            self._connection.commit()
            before = self._last_mark()
            places = self._places()
            digest = self._chained(before, places)
            self._connection.execute(_DURABLE)
            self._connection.execute(
                "INSERT OR REPLACE INTO marks VALUES (?, ?, ?)", (generation, to_json(places), digest)
            )
            self._connection.commit()
            self._connection.execute(_QUICK)
        return digest

    def rewind(self, generation: int | None, machine: Mapping[str, Any] | None = None) -> RunResumed:
        """Go back to the mark of `generation`: what came after it is superseded, which the message says that
        is appended.

        None is the beginning, for a run that has no checkpoint yet.
        """
        marked = {number: places for number, places, _ in self._marks()}
        if generation is not None and generation not in marked:
            raise RecordError(
                f"{self.path} has no mark of generation {generation}, only of {sorted(marked) or 'none'}",
                "resume from a checkpoint of one of these",
            )
        places = dict.fromkeys(["messages", *TABLES], 0) if generation is None else marked[generation]
        last = self._places()
        counts = {table: last[table] - places[table] for table in last}
        resumed = RunResumed(
            generation=generation or 0,
            from_generation=generation or 0,
            first=places["messages"] + 1,
            last=last["messages"],
            superseded=counts,
            machine=machine or {},
        )
        with clearly(self.path):
            # The chain goes on from the newest mark that stays; its rows are all those after it, superseded
            # or not.
            start = -1 if generation is None else generation
            self._connection.execute("DELETE FROM marks WHERE generation > ?", (start,))
        self._task_rows.clear()
        return self.append(resumed)

    # ── reading, as messages ─────────────────────────────────────────────────────────────────────────────

    def read(
        self,
        after: int = 0,
        kinds: Collection[str] = (),
        superseded: bool = False,
        generation: int | None = None,
    ) -> list[Message]:
        """Messages in order, with an id above `after`: of some kinds, of one generation, or all.

        What a resume went back on is left out unless `superseded` asks for it.
        """
        return list(self.each_message(after, kinds, superseded, generation))

    def each_message(
        self,
        after: int = 0,
        kinds: Collection[str] = (),
        superseded: bool = False,
        generation: int | None = None,
    ) -> Iterator[Message]:
        """`read`, one by one."""
        where, values = ["id > ?"], [after, *kinds]
        if kinds:
            where.append(f"kind IN ({','.join('?' * len(kinds))})")
        if generation is not None:
            where.append("generation = ?")
            values.append(generation)
        if not superseded:
            where += self._live()
        query = f"SELECT id, time, generation, kind, span, data FROM messages WHERE {' AND '.join(where)}"
        for row in self._stream(f"{query} ORDER BY id", values):
            with self.damaged():
                message = decode_message(self, row)
            yield message

    def latest(self, kind: type[Kind]) -> Kind | None:
        """The last message of a class that is not superseded, if there is one."""
        where = " AND ".join(["kind = ?", *self._live()])
        query = f"SELECT id, time, generation, kind, span, data FROM messages WHERE {where}"
        rows = self._read(f"{query} ORDER BY id DESC LIMIT 1", [kind.kind])
        with self.damaged():
            return decode_message(self, rows[0]) if rows else None  # type: ignore[return-value]

    def updates_with(self, kind: Sequenced, ref: str) -> list[Updated]:
        """The updates whose batch holds this task, episode or proposal as this kind of sequence, oldest
        first. Looks at every update; superseded ones are left out.
        """
        ids = [id_ for id_ in self.messages_with(kind, ref) if not self.is_superseded(id_)]
        return [found for id_ in ids if isinstance(found := self.message(id_), Updated)]

    def message(self, id_: int) -> Message | None:
        """The message of this id, superseded or not."""
        query = "SELECT id, time, generation, kind, span, data FROM messages WHERE id = ?"
        rows = self._read(query, [id_])
        with self.damaged():
            return decode_message(self, rows[0]) if rows else None


def _address(path: Path, mode: Literal["r", "a"]) -> str:
    """SQLite's URI for the file. A journal on a medium that cannot be written is read as it lies."""
    if mode == "a":
        return f"{path.absolute().as_uri()}?mode=rw"
    closed = not path.with_name(NAME + "-wal").exists()
    immutable = closed and not os.access(path.parent, os.W_OK)
    return f"{path.absolute().as_uri()}?mode=ro" + ("&immutable=1" if immutable else "")
