"""What the results and the README say of this tree is so: tests that they name, files that they show."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
FAULTS = ROOT / "docs" / "results" / "redesign" / "faults.md"
KINDS = ROOT / "docs" / "results" / "answers" / "kinds.md"


def test_every_fault_has_a_test_that_exists() -> None:
    rows = [line.split("|") for line in FAULTS.read_text().splitlines() if re.match(r"\| \d+ \|", line)]
    assert [int(row[1]) for row in rows] == list(range(1, 22))
    for _, number, _, tests, _ in rows:
        assert named_tests(tests), f"fault {number} names no test"


def test_every_kind_found_from_outside_has_a_test_that_exists() -> None:
    rows = [line for line in KINDS.read_text().splitlines() if re.match(r"\| (?:\d+|[A-Z]) \|", line)]
    kinds = [row.split("|")[1].strip() for row in rows]
    assert kinds == [*map(str, range(1, 27)), *"ABCDEFGHIJKLMNOPQR"]
    assert [kind for kind, row in zip(kinds, rows, strict=True) if not named_tests(row)] == ["G"], (
        "only what was measured wrongly has no test"
    )


def named_tests(text: str) -> list[tuple[str, str]]:
    """The tests that a text names, all of which exist."""
    named = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", text)
    for path, name in named:
        assert f"\ndef {name}(" in (ROOT / path).read_text(), f"{path} has no {name}"
    return named


def layout() -> str:
    return (ROOT / "README.md").read_text().partition("## Layout")[2].split("```")[1]


def test_the_readmes_layout_is_what_the_tree_is() -> None:
    """Every file and folder that it names is there, and no folder of the package is missing."""
    package = ROOT / "src" / "autotelic"
    shown, rest = layout().split("bench/", 1)
    folders = set(re.findall(r"^  (\w+)/ ", shown, re.M))
    files = set(re.findall(r"\b(\w+\.py)\b", shown))
    assert folders == {path.name for path in package.iterdir() if (path / "__init__.py").is_file()}
    assert files == {path.name for path in package.glob("*.py")} - {"__init__.py"}
    for name in re.findall(r"^(\w+)/ ", f"bench/{rest}", re.M):
        assert (ROOT / name).is_dir(), f"{name}/ is not in the tree"
