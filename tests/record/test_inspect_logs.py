"""Exams as logs of Inspect AI: its own reader finds in them what the journal has."""

from __future__ import annotations

import importlib.util
import os
import sys
import warnings
from pathlib import Path

import pytest

from autotelic.cli import main
from autotelic.messages import Evaluated
from autotelic.record import Journal

REQUIRED = os.environ.get("AUTOTELIC_SINKS") == "required"
MISSING = importlib.util.find_spec("inspect_ai") is None
if MISSING and not REQUIRED:
    warnings.warn(
        "NO TEST WITH inspect-ai: pip install -e '.[inspect]', in an environment of its own", stacklevel=1
    )


def test_without_inspect_ai_it_says_what_to_install(
    real_run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "inspect_ai", None)
    monkeypatch.setitem(sys.modules, "inspect_ai.log", None)
    assert main(["export", str(real_run), str(tmp_path / "logs"), "--inspect"]) == 2
    assert "pip install inspect-ai" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(MISSING and not REQUIRED, reason="pip install -e '.[inspect]'")
def test_its_own_reader_finds_every_item(real_run: Path, tmp_path: Path) -> None:
    from inspect_ai import log

    assert main(["export", str(real_run), str(tmp_path / "logs"), "--inspect"]) == 0
    with Journal.open(real_run) as journal:
        exams = [m for m in journal.read(kinds=("evaluated",)) if isinstance(m, Evaluated)]
        last = exams[-1]
        outcomes = dict(last.report.outcomes)
    files = sorted((tmp_path / "logs").glob("*.eval"))
    assert len(files) == len(exams)
    found = log.read_eval_log(str(files[-1]))
    assert found.status == "success"
    assert found.eval.metadata["exam_digest"] == last.report.digest
    assert {s.id: float(s.scores["verdict"].value == "C") for s in found.samples} == outcomes
    assert found.results.scores[0].metrics["pass_at_1"].value == last.report.overall.pass_at_1.value
