"""Each page of `start/` is followed to the letter in a folder of its own: files are saved, commands run,
Python executed.

Only budgets are made small, and the model that would be fetched is one of the same family with random weights. Each
replacement must be found, so that a page which changes is noticed.
"""

from __future__ import annotations

import contextlib
import io
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from blocks import ROOT, Block, blocks_of

from autotelic.cli import main

pytestmark = pytest.mark.timeout(1500)
"""A page is some runs: seconds on an idle machine, and minutes on a busy one."""
Replacements = dict[str, str]
_SAVED = re.compile(r"[Ss]ave this as\s+`(?P<name>[\w.]+)`")


def follow(page: str, folder: Path, replacements: Replacements) -> list[str]:
    """Do what a page says; what its commands printed, one text a block. Raises AssertionError where one fails."""
    text = (ROOT / "docs" / "start" / page).read_text(encoding="utf-8")
    blocks = blocks_of(ROOT / "docs" / "start" / page)
    whole = "".join(block.body for block in blocks)
    for old in replacements:
        assert old in whole, f"{page} has no {old!r} any more"
    for name in ("champions", "examples"):
        (folder / name).symlink_to(ROOT / name)
    printed = []
    for block in blocks:
        if block.mark == "not run":
            continue
        body = block.body
        for old, new in replacements.items():
            body = body.replace(old, new)
        saved = _SAVED.search(_before(text, block))
        if saved:
            (folder / saved["name"]).write_text(body, encoding="utf-8")
        elif block.language == "sh":
            printed.append(_shell(block, body, folder))
        elif block.language == "python":
            printed.append(_python(block, body, folder))
    return printed


def _before(text: str, block: Block) -> str:
    """The paragraph above a block."""
    lines = text.splitlines()[: block.line - 1]
    return " ".join(lines[-4:]).rpartition("```")[2]


def _shell(block: Block, body: str, folder: Path) -> str:
    """Each line in turn. Our own commands run in this process, which has imported what they need already."""
    lines = [line for line in body.splitlines() if not line.startswith(("make ", "export PATH"))]
    printed = ""
    for at, line in enumerate(lines):
        fails = at == len(lines) - 1 and block.mark == "fails"
        if line.startswith("autotelic "):
            said = io.StringIO()
            with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said), contextlib.chdir(folder):
                code = main(shlex.split(line)[1:])
            printed += said.getvalue()
        else:
            line = re.sub(r"^python\b", sys.executable, line)
            done = subprocess.run(["bash", "-ec", line], cwd=folder, capture_output=True, text=True)
            code, printed = done.returncode, printed + done.stdout + done.stderr
        assert (code != 0) is fails, f"{block}: {line}\n{printed[-3000:]}"
    return printed


def _python(block: Block, body: str, folder: Path) -> str:
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.chdir(folder):
        exec(compile(body, str(block), "exec"), {})
    return said.getvalue()


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A small Llama with random weights, as a folder."""
    sys.path.insert(0, str(ROOT / "tests" / "models"))
    try:
        from pretrained import write
    finally:
        sys.path.remove(str(ROOT / "tests" / "models"))
    return write(tmp_path / "model", ["What is 17 + 25?\n42\n", "def f(x):\n    return x\n"])


def test_an_engineer_with_a_model(tmp_path: Path, model: Path) -> None:
    place = tmp_path / "work"
    place.mkdir()
    printed = follow(
        "engineer.md",
        place,
        {
            "smollm2-135m": str(model),
            "lora_rank = 16 ": "lora_rank = 0 ",
            "seconds = 420.0": "generations = 1\nseconds = 0.0",
            "tasks_per_generation = 64": "tasks_per_generation = 16",
            "items_per_cell = 8": "items_per_cell = 1",
        },
    )
    assert (place / "my-model" / "config.json").is_file()
    assert "llama" in printed[-1]


def test_an_auditor(tmp_path: Path) -> None:
    follow(
        "auditor.md",
        tmp_path,
        {
            "seconds = 120.0": "generations = 1\nseconds = 0.0",
            "tasks_per_generation = 256": "tasks_per_generation = 48",
            "items = 24": "items = 8",
            "items_per_cell = 8": "items_per_cell = 2",
        },
    )
    assert (tmp_path / "audited.zip").is_file()


def test_a_domain_scientist(tmp_path: Path) -> None:
    follow("scientist.md", tmp_path, {"seconds = 120.0": "generations = 1\nseconds = 0.0"})
    assert (tmp_path / "runs" / "pendulum" / "report.html").is_file()


def test_a_command_that_fails_is_noticed(tmp_path: Path) -> None:
    block = Block(page=ROOT / "docs" / "x.md", line=1, language="sh", body="", mark="", why="")
    with pytest.raises(AssertionError, match="nowhere"):
        _shell(block, "autotelic check nowhere\n", tmp_path)
