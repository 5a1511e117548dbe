"""Errors of SQLite and of the disk as one line with a fix."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from autotelic.errors import NO_SPACE, RecordError, fix_of

_DENIED = (errno.EACCES, errno.EPERM)
RESTORE = "restore the run folder from a copy"
_CAUSES: Mapping[str, tuple[str, str]] = {
    "FULL": ("has no space left on its disk", "free some space and resume; the last commit is intact"),
    "IOERR": (
        "cannot be written or read",
        "check its disk, its space and `ulimit -f`; the last commit is intact",
    ),
    "READONLY": ("may not be written", "change its permissions or copy the run"),
    "CANTOPEN": ("cannot be opened", "check the permissions of its folder"),
    "CORRUPT": ("is damaged", RESTORE),
    "NOTADB": ("is no journal: it is not an SQLite database", RESTORE),
    "BUSY": ("is being written by another process", "wait for it to end, or stop it"),
    # A column that is not UTF-8, a table that is gone, a value of another type: only damage makes these.
    "ERROR": ("is damaged", RESTORE),
    "MISMATCH": ("is damaged", RESTORE),
    "CONSTRAINT": ("is damaged", RESTORE),
}


@contextmanager
def clearly(path: Path) -> Iterator[None]:
    """Turn SQLite's and the system's errors into a RecordError with a fix."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", "") or ""
        for code, (cause, fix) in _CAUSES.items():
            if name.startswith(f"SQLITE_{code}"):
                raise RecordError(f"{path} {cause} ({error})", fix) from error
        if isinstance(error, sqlite3.DatabaseError) and not isinstance(error, sqlite3.ProgrammingError):
            raise RecordError(f"{path} is damaged ({error})", RESTORE) from error
        raise
    except UnicodeDecodeError as error:
        raise RecordError(f"{path} is damaged: a text is not UTF-8", RESTORE) from error
    except OSError as error:
        code = "FULL" if error.errno in NO_SPACE else "CANTOPEN" if error.errno in _DENIED else "IOERR"
        cause, fix = _CAUSES[code]
        fix = fix if error.errno in (*NO_SPACE[:2], *_DENIED) else fix_of(error)
        raise RecordError(f"{path} {cause} ({error.strerror})", fix) from error
