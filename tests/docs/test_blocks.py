"""Every code block of README and docs runs: Python is executed, TOML is read, commands are parsed by the
command line.

The pages of `start/` are followed to the letter in `test_start.py`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shlex
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path

import pytest
from blocks import ROOT, Block, all_blocks, blocks_of, pages
from cyclopts import CycloptsError

from autotelic.charter import Charter
from autotelic.cli import app
from autotelic.machine import Machine
from autotelic.oversee.proving import load_packs

BLOCKS = list(all_blocks())
_ENDS = re.compile(r"""(?:\s{2,}(?!-)|\s\#\s|\s[>|&]+\s)(?=(?:[^"]*"[^"]*")*[^"]*$)""")
"""Where a command ends and what is said about it begins; not within quotes."""
_KNOWN = ("python", "toml", "json", "sh", "bash", "console", "text", "")


def of(*languages: str) -> list[Block]:
    return [block for block in BLOCKS if block.language in languages and block.mark != "not run"]


def test_every_block_has_a_language_that_is_known() -> None:
    assert len(BLOCKS) > 40
    assert [str(block) for block in BLOCKS if block.language not in _KNOWN] == []


def test_what_is_not_run_says_why() -> None:
    assert [str(b) for b in BLOCKS if b.mark == "not run" and len(b.why.split()) < 3] == []


@pytest.mark.parametrize("block", of("toml"), ids=str)
def test_toml_is_a_charter_a_machine_or_a_part_of_a_project(block: Block, tmp_path: Path) -> None:
    values = tomllib.loads(block.body)
    if "project" in values:
        assert "entry-points" in values["project"]
    elif all(isinstance(value, dict) and "judge" in value for value in values.values()):
        (tmp_path / "packs.toml").write_text(block.body, encoding="utf-8")
        assert load_packs(tmp_path / "packs.toml")
    elif values.keys() <= set(Machine.model_fields):
        Machine.of(values)
    else:
        Charter.of(values, where=str(block))


@pytest.mark.parametrize("block", of("json"), ids=str)
def test_json_is_read(block: Block) -> None:
    json.loads(block.body)


@pytest.mark.parametrize(
    "line",
    sorted({(line, str(b)) for b in of("sh", "bash", "console", "text", "") for line in b.commands}),
    ids=lambda pair: pair[1],
)
def test_commands_are_ones_that_the_command_line_takes(line: tuple[str, str]) -> None:
    command = line[0].partition(" autotelic ")[2] if line[0].startswith("sudo") else line[0]
    command = re.sub(r" \.\.\.(?= |$)", "", _ENDS.split(command)[0])
    words = (
        shlex.split(command, comments=True)[1:]
        if command == line[0] or command.startswith("autotelic")
        else shlex.split(command)
    )
    words = ["1" if re.fullmatch(r"N|K|STEP", word) else word for word in words]
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            app.parse_args(words, exit_on_error=False, print_error=False)
        except CycloptsError as error:
            pytest.fail(f"{line[1]}: {line[0]}: {error}")


def _python_pages() -> list[Path]:
    return [page for page in pages() if any(b.language == "python" for b in blocks_of(page))]


@pytest.mark.parametrize("page", _python_pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_python_is_valid(page: Path) -> None:
    for block in blocks_of(page):
        if block.language == "python" and block.mark != "not run":
            compile(_dedented(block.body), str(block), "exec")


RUN = ("sandbox.md", "own-domain.md", "domains.md", "drift-and-certificates.md", "ledger.md", "oversight.md")


@pytest.mark.parametrize("name", RUN)
def test_python_runs(name: str, tmp_path: Path) -> None:
    """The blocks of a page in order, as one program. Those that show a part of a file are its text."""
    code = []
    for block in blocks_of(ROOT / "docs" / name):
        if block.language == "python" and block.mark != "not run" and not _shown_in_the_tree(block):
            code.append(_dedented(block.body))
    program = tmp_path / "page.py"
    program.write_text("\n\n".join(code), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(program)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def _shown_in_the_tree(block: Block) -> bool:
    """Whether the block is a piece of an example or of the package, word by word."""
    wanted = "\n".join(line.rstrip() for line in block.body.strip("\n").splitlines())
    return any(wanted in text for text in _sources())


def _sources() -> list[str]:
    files = [*(ROOT / "examples").glob("*.py"), *(ROOT / "src").rglob("*.py")]
    return [file.read_text(encoding="utf-8") for file in files]


def _dedented(body: str) -> str:
    return textwrap.dedent(body)
