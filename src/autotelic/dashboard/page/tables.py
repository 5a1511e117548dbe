"""Tables of the page as files: CSV for a spreadsheet, Parquet for a program."""

from __future__ import annotations

import csv
import importlib.util
import io
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from autotelic.errors import PageError

Rows = Sequence[Sequence[Any]]
_FORMULAS = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def as_csv(head: Sequence[str], rows: Rows) -> tuple[bytes, str]:
    """A table as CSV, with its media type. What a spreadsheet would take for a formula gets a quote in front."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    writer.writerows([[_harmless(value) for value in row] for row in rows])
    return out.getvalue().encode("utf-8", "backslashreplace"), "text/csv"


def as_parquet(head: Sequence[str], rows: Rows) -> tuple[bytes, str]:
    """A table as Parquet, with its media type. Raises PageError where pyarrow is not installed."""
    if not has_parquet():
        raise PageError("Parquet needs pyarrow", "install it: pip install pyarrow; or take the CSV")
    import pyarrow
    import pyarrow.parquet

    # The last line of a table that was cut says so in one cell; a program finds the number of rows by itself.
    whole = [row for row in rows if len(row) == len(head)]
    columns = [_column([row[place] for row in whole]) for place in range(len(head))]
    out = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(columns, names=list(head)), out)
    return out.getvalue(), "application/vnd.apache.parquet"


def has_parquet() -> bool:
    """Whether tables can be had as Parquet here."""
    return importlib.util.find_spec("pyarrow") is not None


def _column(values: Sequence[Any]) -> list[Any]:
    """The values of one type: numbers where all are, else texts. What is missing is None."""
    known = [None if value == "" else value for value in values]
    if all(value is None or isinstance(value, int | float) for value in known):
        return [float(v) if isinstance(v, float) else v for v in known]
    return [None if v is None else str(v).encode("utf-8", "backslashreplace").decode() for v in known]


def _harmless(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value[:1] in _FORMULAS else value


KINDS: Mapping[str, Callable[[Sequence[str], Rows], tuple[bytes, str]]] = {
    "csv": as_csv,
    "parquet": as_parquet,
}
"""How a table becomes a file, by the ending of its name."""
