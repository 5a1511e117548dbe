"""What is exported is what was recorded."""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from autotelic.errors import RecordError
from autotelic.messages import Admitted, Dropped
from autotelic.record import Journal
from autotelic.record.export import TABLES, export
from autotelic.types import Task

HAS_PYARROW = importlib.util.find_spec("pyarrow") is not None


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Journal]:
    with Journal.create(tmp_path, "sha256:charter", "run") as made:
        made.append(Dropped(generation=1, what="task", n=2, why="too long"))
        made.append(Admitted(tasks=(Task(domain="d", mode="m", level=1, prompt="é\n", secret={"x": [1]}),)))
        yield made


def test_json_lines_have_a_row_a_line_with_json_nested(record: Journal, tmp_path: Path) -> None:
    files = export(record, tmp_path / "out")
    assert [file.name for file in files] == [f"{table}.jsonl" for table in TABLES]
    dropped, _ = map(json.loads, files[0].read_text().splitlines())
    assert (dropped["kind"], dropped["data"]) == ("dropped", {"what": "task", "n": 2, "why": "too long"})
    (task,) = map(json.loads, files[1].read_text().splitlines())
    assert (task["prompt"], task["secret"]) == ("é\n", {"x": [1]})


@pytest.mark.skipif(HAS_PYARROW, reason="pyarrow is installed")
def test_parquet_without_pyarrow_says_what_to_install(record: Journal, tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="`pip install pyarrow`"):
        export(record, tmp_path / "out", "parquet")
    assert not (tmp_path / "out").exists()


@pytest.mark.skipif(not HAS_PYARROW, reason="pyarrow is not installed")
def test_parquet_has_the_rows_as_stored(record: Journal, tmp_path: Path) -> None:
    import pyarrow.parquet

    files = export(record, tmp_path / "out", "parquet")
    assert pyarrow.parquet.read_table(files[1]).to_pylist() == list(record.each("tasks"))


def test_a_folder_that_cannot_be_written_is_refused(record: Journal, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RecordError, match="cannot be written: File exists"):
        export(record, tmp_path / "file")
