"""What goes wrong below is one line with a fix; what is a bug of ours stays one."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest

from autotelic.errors import RecordError
from autotelic.record.clearly import clearly

PLACE = Path("run/journal.sqlite")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (OSError(errno.ENOSPC, "No space left"), "has no space left on its disk"),
        (OSError(errno.EACCES, "Permission denied"), "cannot be opened"),
        (OSError(errno.EIO, "Input/output error"), "cannot be written or read"),
        (UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte"), "is damaged: a text is not UTF-8"),
        (sqlite3.OperationalError("Could not decode to UTF-8"), "is damaged"),
        (sqlite3.DatabaseError("something new"), "is damaged"),
    ],
)
def test_errors_are_one_line_with_a_fix(error: Exception, says: str) -> None:
    with pytest.raises(RecordError, match=f"^run/journal.sqlite {says}") as clear, clearly(PLACE):
        raise error
    assert clear.value.fix
    assert "\n" not in str(clear.value)


def test_a_journal_that_another_process_writes_is_busy(tmp_path: Path) -> None:
    path = tmp_path / "x.sqlite"
    with sqlite3.connect(path) as one, sqlite3.connect(path, timeout=0) as other:
        one.execute("CREATE TABLE t (x)")
        one.execute("BEGIN IMMEDIATE")
        with pytest.raises(RecordError, match="is being written by another process"), clearly(path):
            other.execute("BEGIN IMMEDIATE")


def test_a_bug_of_ours_is_not_called_damage() -> None:
    connection = sqlite3.connect(":memory:")
    connection.close()
    with pytest.raises(sqlite3.ProgrammingError), clearly(PLACE):
        connection.execute("SELECT 1")
