"""Bytes become weights in one folder of the source, and nowhere else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[2] / "src" / "autotelic"
FORBIDDEN = re.compile(
    r"\b(from_pretrained|load_state_dict|safe_open|load_file|torch\.load|pickle\.loads?)\s*\("
)
PUTTING = re.compile(r"\bload_state_dict\s*\(")
"""Puts tensors into a module."""


def found(pattern: re.Pattern[str], folder: Path, *, besides: tuple[str, ...] = ()) -> list[str]:
    """Every place of a pattern below a folder."""
    return [
        f"{path.relative_to(folder)}:{number}: {line.strip()}"
        for path in sorted(folder.rglob("*.py"))
        if path.relative_to(folder).parts[0] not in besides
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if pattern.search(line)
    ]


def test_weights_are_loaded_by_the_door_alone() -> None:
    assert found(FORBIDDEN, SOURCE, besides=("weights", "dashboard")) == []


def test_the_dashboard_only_writes_of_it() -> None:
    """A model card shows how to load the model, as text."""
    shown = found(FORBIDDEN, SOURCE / "dashboard")
    assert all(re.search(r"""['"].*from_pretrained\(""", line) for line in shown)


def test_one_function_puts_tensors_into_a_module() -> None:
    assert [place.partition(":")[0] for place in found(PUTTING, SOURCE)] == ["weights/tensors.py"]


@pytest.mark.parametrize(
    "line",
    [
        "AutoModel.from_pretrained(folder)",
        "model.load_state_dict (state)",
        "with safe_open(path) as f:",
        "torch.load(path)",
        "pickle.loads(content)",
    ],
)
def test_the_pattern_sees_what_it_is_to_see(line: str, tmp_path: Path) -> None:
    (tmp_path / "some").mkdir()
    (tmp_path / "some" / "file.py").write_text(line, encoding="utf-8")
    assert len(found(FORBIDDEN, tmp_path)) == 1
    assert found(FORBIDDEN, tmp_path, besides=("some",)) == []
