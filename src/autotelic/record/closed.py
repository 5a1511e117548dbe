"""What a journal was when its writer closed it: the bytes and the sha256 of the whole file, beside it.

The digests of the marks cover every row. The pages of SQLite also hold bytes that no row needs, and rows come after
the last mark. Of a run that ended by itself, a damage to these is noticed here too. A killed run leaves no such note.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from autotelic.errors import RecordError
from autotelic.record.clearly import RESTORE, clearly

NAME = "journal.closed.json"
QUICKLY = 1 << 30
"""Bytes that a resume hashes, a second or so; a check hashes any number."""


def note(journal: Path) -> None:
    """Write down what the journal is, whole or not at all. For a writer that has just let go of it."""
    log = Path(f"{journal}-wal")
    if log.exists() and log.stat().st_size:  # who reads at this moment keeps rows from being merged
        return
    place = journal.with_name(NAME)
    unfinished = place.with_suffix(".new")
    unfinished.write_text(json.dumps({"bytes": journal.stat().st_size, "sha256": _hashed(journal)}))
    os.replace(unfinished, place)


def forget(journal: Path) -> None:
    """Take the note away: the journal is about to be written."""
    with clearly(journal):
        journal.with_name(NAME).unlink(missing_ok=True)


def verify(journal: Path, most: int | None = None) -> None:
    """See that the journal is what was closed, where that was noted, and where it has at most `most` bytes.

    Raises RecordError where it, or the note, is something else.
    """
    place = journal.with_name(NAME)
    with clearly(journal):
        if not place.is_file():
            return
        size = journal.stat().st_size
        try:
            noted = json.loads(place.read_bytes())
            expected = (int(noted["bytes"]), str(noted["sha256"]))
        except (ValueError, LookupError, TypeError) as error:
            raise RecordError(f"{place} is damaged", RESTORE) from error
        same = size == expected[0] and ((most is not None and size > most) or _hashed(journal) == expected[1])
    if not same:
        raise RecordError(f"{journal} is damaged: it is not what it was when it was closed", RESTORE)


def _hashed(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
