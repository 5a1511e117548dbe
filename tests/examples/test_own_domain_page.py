"""`docs/own-domain.md` shows the example as it is: its blocks are taken from the files, and its last one runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "own-domain.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)\n```", PAGE, re.DOTALL)


def test_every_block_of_python_is_of_the_examples_but_the_one_to_run() -> None:
    code = [(ROOT / "examples" / name).read_text() for name in ("thermostat.py", "thermostat_goal.py")]
    *shown, last = blocks("python")
    assert len(shown) >= 6
    assert all(any(block in text for text in code) for block in shown)
    assert "load_domain" in last


def test_the_charter_is_the_one_that_it_runs() -> None:
    charter, package = blocks("toml")
    assert charter in (ROOT / "examples" / "thermostat.toml").read_text()
    assert 'entry-points."autotelic.domains"' in package


def test_the_block_to_run_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    exec(blocks("python")[-1], {})
    assert re.match(r"[+-]\d\n \[\('[+-]\d+\\n', -\d+\.0\)\]", capsys.readouterr().out)
