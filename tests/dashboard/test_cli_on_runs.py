"""The commands that read runs, and the view that `run` and `resume` give."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from synthetic_run import synthetic_messages, synthetic_run

from autotelic import messages as m
from autotelic.cli import main
from autotelic.commands.running import watched
from autotelic.record import Journal, RunFolder

Capture = pytest.CaptureFixture[str]
Watch = Callable[[m.Message], None]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return synthetic_run(tmp_path_factory.mktemp("cli") / "x", generations=6)


def test_inspect_prints_text_or_json(run: RunFolder, capsys: Capture) -> None:
    with Journal.open(run.path) as journal:
        admitted = journal.latest(m.Admitted)
        assert admitted is not None
        task = admitted.tasks[0].id
    assert main(["inspect", str(run.path), task[:10]]) == 0
    assert f"Task {task}" in capsys.readouterr().out
    for what, kind in (
        (task, "task"),
        ("attempt:1", "attempt"),
        ("6", "generation"),
        ("update:1", "updated"),
    ):
        assert main(["inspect", str(run.path), what, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["kind"] == kind
    assert main(["inspect", str(run.path)]) == 0
    assert "verdict" in capsys.readouterr().out
    assert main(["inspect", str(run.path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["generations"] == 6


def test_report_makes_all_that_people_look_at(
    run: RunFolder, capsys: Capture, drawing: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("autotelic.dashboard.plots.write_plots", drawing)
    assert main(["report", str(run.path)]) == 0
    assert capsys.readouterr().out.strip() == str(run.report)
    assert run.report.is_file()
    assert len(list(run.plots.glob("*.png"))) == 4
    assert json.loads(run.summary.read_text())["generations"] == 6


def test_compare_draws_and_prints(run: RunFolder, tmp_path: Path, capsys: Capture) -> None:
    other = synthetic_run(tmp_path / "y", generations=4, seed=1)
    picture = tmp_path / "c.png"
    assert main(["compare", str(run.path), str(other.path), "--out", str(picture)]) == 0
    out = capsys.readouterr().out
    assert str(picture) in out.replace("\n", "")
    assert "the lowest of the final scores" in out
    assert main(["compare", str(run.path), str(other.path), "--out", str(picture), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["runs"]) == {str(run.path), str(other.path)}
    assert picture.is_file()
    assert main(["compare", str(run.path)]) == 2
    assert "two or more" in capsys.readouterr().err


def test_a_damaged_run_is_one_clear_line(tmp_path: Path, capsys: Capture) -> None:
    run = synthetic_run(tmp_path / "x", generations=2)
    for name in ("journal.sqlite-wal", "journal.sqlite-shm"):
        (run.path / name).unlink(missing_ok=True)
    (run.path / "journal.sqlite").write_bytes(b"not a database" * 400)
    for command in ("inspect", "report", "resume"):
        assert main([command, str(run.path)]) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert "journal.sqlite" in err


def test_check_names_what_is_not_what_was_written(tmp_path: Path, capsys: Capture) -> None:
    run = synthetic_run(tmp_path / "x", generations=2)
    charter = run.path / "charter.json"
    charter.write_text(charter.read_text().replace('"seed":7', '"seed":8'))
    assert main(["check", str(run.path)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert sum("charter.json was edited" in line for line in lines) == 1
    assert any("champion" in line for line in lines)  # made up: nobody saved it
    assert main(["check", str(run.path), "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["problems"] == lines


def test_check_of_what_is_no_run_is_one_line(tmp_path: Path, capsys: Capture) -> None:
    assert main(["check", str(tmp_path / "none")]) == 2
    assert "does not exist" in capsys.readouterr().err


def test_a_run_is_watched_to_its_end(run: RunFolder, capsys: Capture) -> None:
    def work(watch: Watch) -> dict[str, Any]:
        for message in synthetic_messages(3):
            watch(message)
        return {"stopped": "budget"}

    assert watched(work, run.path, as_json=False) == 0
    out = capsys.readouterr().out
    assert "generation     3" in out
    assert f"report:   {run.report}" in out


def test_with_json_the_output_is_json_and_the_progress_is_elsewhere(run: RunFolder, capsys: Capture) -> None:
    def work(watch: Watch) -> dict[str, Any]:
        for message in synthetic_messages(3):
            watch(message)
        return {"stopped": "budget"}

    assert watched(work, run.path, as_json=True) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"stopped": "budget"}
    assert "generation     3" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("returns", [True, False])
def test_a_signal_stops_and_says_how_to_resume(
    run: RunFolder, capsys: Capture, returns: bool, number: int
) -> None:
    """Whether the loop lets the interruption through or closes in good order and returns."""

    def work(watch: Watch) -> dict[str, Any]:
        messages = synthetic_messages(3)
        watch(messages[0])
        signal.raise_signal(number)
        try:
            watch(messages[1])
        except KeyboardInterrupt:
            watch(messages[-1])
            if returns:
                return {"stopped": "interrupted"}
            raise
        raise AssertionError("the run was not stopped")

    assert watched(work, run.path, as_json=False) == 130
    out, err = capsys.readouterr()
    assert f"autotelic resume {run.path}" in err
    assert "stopping at the end of this step" in out


def test_ctrl_c_before_there_is_a_run_says_that_nothing_is_left(tmp_path: Path, capsys: Capture) -> None:
    def work(watch: Watch) -> dict[str, Any]:
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the run was not stopped")

    assert watched(work, tmp_path / "none", as_json=False) == 130
    assert "nothing is left of it" in capsys.readouterr().err
