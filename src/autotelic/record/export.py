"""The journal as files that other tools read: JSON lines, or Parquet where pyarrow is installed."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np

from autotelic.errors import RecordError
from autotelic.record.journal import Journal

TABLES = ("messages", "tasks", "proposals", "episodes", "verdicts", "credits", "entries")
_JSON = ("data", "secret", "shown", "turn", "steps")
_BLOBS = ("numbers", "kinds", "refs", "weights")
_ROWS = 10_000


def export(journal: Journal, folder: str | Path, format: Literal["jsonl", "parquet"] = "jsonl") -> list[Path]:
    """Write each table of the journal to `folder/TABLE.FORMAT`; returns the files.

    Columns are those of the tables; in JSON lines, columns of JSON are nested and token ids and
    log-probabilities are base64 of what the journal has. Parquet keeps both as stored.
    Raises `RecordError` when pyarrow is asked for and missing, or when a file cannot be written.
    """
    write = _parquet() if format == "parquet" else _lines
    folder = Path(folder)
    files = []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for table in TABLES:
            files.append(folder / f"{table}.{format}")
            write(files[-1], map(_plain, journal.each(table)))
    except OSError as error:
        raise RecordError(
            f"{folder} cannot be written: {error.strerror}", "give a folder that can be"
        ) from error
    return files


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """A row of which each column has one type: of one advantage a token the mean. The entries have them all."""
    if isinstance(advantage := row.get("advantage"), bytes):
        row["advantage"] = float(np.frombuffer(advantage, "<f8").mean())
    return row


def _lines(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            row |= {name: json.loads(row[name]) for name in _JSON if name in row}
            row |= {name: base64.b64encode(row[name]).decode() for name in _BLOBS if name in row}
            file.write(json.dumps(row) + "\n")


def _parquet() -> Callable[[Path, Iterator[dict[str, Any]]], None]:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise RecordError(
            "Parquet needs pyarrow, which is not installed", "`pip install pyarrow`, or export JSON lines"
        ) from None

    def write(path: Path, rows: Iterator[dict[str, Any]]) -> None:
        first = pyarrow.Table.from_pylist(list(islice(rows, _ROWS)))
        with pyarrow.parquet.ParquetWriter(path, first.schema) as writer:
            writer.write_table(first)
            while more := list(islice(rows, _ROWS)):
                writer.write_table(pyarrow.Table.from_pylist(more, schema=first.schema))

    return write
