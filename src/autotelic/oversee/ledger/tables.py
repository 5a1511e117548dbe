"""The tables of a ledger's SQLite database, and how it is opened.

    leaves        the data of each leaf, and its hash
    nodes         interior nodes of complete subtrees, in the order in which appends completed them
    checkpoints   one a commit, signed; the first is of size 0
    cosignatures  of checkpoints, by witnesses
    meta          origin and public key

Rows are only added. Everything but leaves, signatures and keys could be computed again; `verify.py` does so.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from autotelic.errors import LedgerError

NAME = "ledger.sqlite"
APPLICATION_ID = 0x61746C67
"""'atlg', in the header of the file."""
VERSION = 1
"""Of the tables; a ledger of another version is refused rather than misread."""
SCHEMA = {
    "meta": "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "leaves": "CREATE TABLE leaves (id INTEGER PRIMARY KEY, data BLOB NOT NULL, hash BLOB NOT NULL)",
    "nodes": "CREATE TABLE nodes (id INTEGER PRIMARY KEY, hash BLOB NOT NULL)",
    "checkpoints": "CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note TEXT NOT NULL)",
    "cosignatures": (
        "CREATE TABLE cosignatures (size INTEGER NOT NULL, witness TEXT NOT NULL, line TEXT NOT NULL, "
        "PRIMARY KEY (size, witness)) WITHOUT ROWID"
    ),
}
_RESTORE = "restore it from a copy or an export"
_CAUSES = {
    "FULL": ("has no space left on its disk", "free some space; the last commit is intact"),
    "IOERR": ("cannot be read or written", "check its disk and space; the last commit is intact"),
    "READONLY": ("may not be written", "check its permissions"),
    "CANTOPEN": ("cannot be opened", "check the permissions of its folder"),
    "BUSY": ("is being written by another process", "wait for it to end, or stop it"),
    "LOCKED": ("is being written by another process", "wait for it to end, or stop it"),
}


def wal_of(path: Path) -> Path:
    """The write-ahead log beside a database. It is there while a process has the database open, or was killed."""
    return path.with_name(path.name + "-wal")


def remove(path: Path) -> None:
    """Take away a database that was never finished, and what SQLite kept beside it."""
    for stale in (path, wal_of(path), path.with_name(path.name + "-shm")):
        stale.unlink(missing_ok=True)


def connect(path: Path, *, write: bool) -> sqlite3.Connection:
    """A connection to a ledger that exists. Threads that share it take turns."""
    if write:
        mode = "rw"
    elif wal_of(path).exists():
        mode = "ro"  # another process writes, or was killed: what it left is not touched
    elif os.access(path, os.W_OK) and os.access(path.parent, os.W_OK):
        mode = "rw"  # the last reader to close takes away the write-ahead log that it made
    else:
        mode = "ro&immutable=1"
    connection = sqlite3.connect(
        f"{path.resolve().as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    connection.execute("PRAGMA synchronous = FULL" if write else "PRAGMA query_only = ON")
    return connection


def create(path: Path) -> sqlite3.Connection:
    """A connection to a new ledger without rows."""
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("BEGIN IMMEDIATE")
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    for statement in SCHEMA.values():
        connection.execute(statement)
    return connection


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """Raises LedgerError unless the database holds a ledger's tables and nothing else."""
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise LedgerError(f"{path} is no ledger: it is another SQLite database", "give a ledger.sqlite")
    if version != VERSION:
        raise LedgerError(f"{path} is a ledger of version {version}, and this reads {VERSION}")
    held = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    if dict(held) != SCHEMA or len(held) != len(SCHEMA):
        odd = sorted(
            {name for name, sql in held if SCHEMA.get(name) != sql} or SCHEMA.keys() - dict(held).keys()
        )
        raise LedgerError(f"{path} has not the tables of a ledger: {', '.join(map(str, odd))[:80]}", _RESTORE)


@contextmanager
def clearly(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into a LedgerError with a fix."""
    try:
        yield
    except sqlite3.ProgrammingError:
        raise
    except sqlite3.Error as error:
        name = (getattr(error, "sqlite_errorname", "") or "").removeprefix("SQLITE_")
        for code, (cause, fix) in _CAUSES.items():
            if name.startswith(code):
                raise LedgerError(f"{path} {cause} ({error})", fix) from error
        raise LedgerError(f"{path} is damaged ({error})", _RESTORE) from error
    except UnicodeDecodeError as error:
        raise LedgerError(f"{path} is damaged: a text is not UTF-8", _RESTORE) from error
    except OSError as error:
        full, denied = (errno.ENOSPC, errno.EDQUOT), (errno.EACCES, errno.EPERM, errno.EROFS)
        code = "FULL" if error.errno in full else "CANTOPEN" if error.errno in denied else "IOERR"
        cause, fix = _CAUSES[code]
        raise LedgerError(f"{path} {cause} ({error.strerror or error})", fix) from error
