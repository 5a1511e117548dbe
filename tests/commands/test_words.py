"""What commands and pages say: examples, choices, and nothing that a shell would do wrong with."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from autotelic.cli import main

Capture = pytest.CaptureFixture[str]
ROOT = Path(__file__).parents[2]
COMMANDS = [
    ["run"], ["resume"], ["exam"], ["inspect"], ["check"], ["replay"], ["report"], ["compare"], ["export"],
    ["charter", "show"], ["schema"], ["doctor"], ["models", "pull"], ["sandbox", "soak"],
]  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_each_help_ends_with_an_example_of_its_own(command: list[str], capsys: Capture) -> None:
    assert main([*command, "--help"]) == 0
    last = capsys.readouterr().out.rstrip().splitlines()[-1]
    assert last.startswith(f"Example: autotelic {command[0]} ") or last == f"Example: autotelic {command[0]}"


def test_no_page_installs_a_name_from_an_index_where_it_is_not_published() -> None:
    pages = [ROOT / "README.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "recipes").glob("*.toml")]
    found = [
        f"{page.name}: {line}"
        for page in pages
        for line in page.read_text(encoding="utf-8").splitlines()
        if re.search(r"pip install\s+(-U\s+)?['\"]?autotelic", line)
    ]
    assert found == []


@pytest.mark.parametrize(
    "arguments", [["attack", "capabilty"], ["attack", "stream", "streams"], ["soak", "--level", "L4"]]
)
def test_a_class_or_level_that_does_not_exist_is_refused(arguments: list[str], capsys: Capture) -> None:
    """A gate that tries nothing is no gate."""
    assert main(["sandbox", *arguments]) == 2
    assert "Choose from" in capsys.readouterr().err


def test_the_models_are_the_same_as_text_and_as_json(
    tmp_path: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOTELIC_CACHE", str(tmp_path))
    assert main(["models", "list"]) == 0
    said = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert main(["models", "list", "--json"]) == 0
    known = json.loads(capsys.readouterr().out)["known"]
    assert said == {model["name"] for model in known}
    assert "tiny" in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "two or more different runs, and got 0 of them"),
        (["a"], "two or more different runs, and got 1 of them"),
        (["a", "./a"], "two or more different runs, and got one of them twice"),
        (["a", "b", "--out", "c.txt"], "end its name in .png"),
    ],
)
def test_what_cannot_be_compared_is_said_plainly(
    arguments: list[str], said: str, capsys: Capture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["compare", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_picture_that_cannot_be_written_is_named_as_it_was_given(tmp_path: Path) -> None:
    from matplotlib.figure import Figure

    from autotelic.dashboard.plots import save

    with pytest.raises(OSError, match=r"c\.png") as caught:
        save(Figure(), tmp_path / "nowhere" / "c.png")
    assert caught.value.filename == str(tmp_path / "nowhere" / "c.png")


def test_the_doctor_ends_with_a_verdict(capsys: Capture, tmp_path: Path) -> None:
    code = main(["doctor", str(tmp_path / "none")])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1].startswith("ready      yes" if code == 0 else "ready      see")
    assert any("does not exist yet" in line for line in lines)


def test_a_program_from_standard_input(monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    import io

    class Stdin:
        buffer = io.BytesIO("\ufeffdef f(x):\r\n    return x + 1\r\n".encode())

    monkeypatch.setattr("sys.stdin", Stdin())
    assert main(["sandbox", "run", "-", "[1]", "--require", "L0"]) == 0
    assert json.loads(capsys.readouterr().out)["outputs"] == ["2"]
