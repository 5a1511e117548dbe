import json
import signal
from pathlib import Path

import pytest
from synthetic_run import synthetic_events, synthetic_run

from autotelic.cli import main
from autotelic.commands.running import watched


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return synthetic_run(tmp_path_factory.mktemp("cli") / "x", generations=6)


def test_inspect_prints_text_or_json(run, capsys):
    assert main(["inspect", str(run.path), "ded206"]) == 0
    assert "Task ded206aa" in capsys.readouterr().out
    for what, kind in (("ded206", "task"), ("attempt:1", "attempt"), ("6", "generation")):
        assert main(["inspect", str(run.path), what, "--json"]) == 0
        assert json.loads(capsys.readouterr().out)["kind"] == kind
    assert main(["inspect", str(run.path)]) == 0
    assert "verdict" in capsys.readouterr().out


def test_report_makes_all_that_people_look_at(run, capsys):
    assert main(["report", str(run.path)]) == 0
    assert capsys.readouterr().out.strip() == str(run.report)
    assert run.report.is_file()
    assert len(list(run.plots.glob("*.png"))) == 4
    assert json.loads(run.summary.read_text())["generations"] == 6


def test_compare_draws_and_tells(run, tmp_path, capsys):
    other = synthetic_run(tmp_path / "y", generations=4, seed=1)
    picture = tmp_path / "c.png"
    assert main(["compare", str(run.path), str(other.path), "--out", str(picture)]) == 0
    assert str(picture) in capsys.readouterr().out.replace("\n", "")
    assert main(["compare", str(run.path), str(other.path), "--out", str(picture), "--json"]) == 0
    assert set(json.loads(capsys.readouterr().out)["runs"]) == {str(run.path), str(other.path)}
    assert picture.is_file()
    assert main(["compare", str(run.path)]) == 2
    assert "two or more" in capsys.readouterr().err


def test_export_copies_the_champion_with_its_card(run, tmp_path, capsys):
    dest = tmp_path / "model"
    assert main(["export", str(run.path), str(dest)]) == 0
    assert sorted(path.name for path in dest.iterdir()) == ["README.md", "config.json", "model.safetensors"]
    assert "## Limits" in (dest / "README.md").read_text()
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert main(["export", str(run.path), str(dest)]) == 2
    assert "is there already" in capsys.readouterr().err


def test_export_without_a_champion_says_what_to_do(tmp_path, capsys):
    run = synthetic_run(tmp_path / "x", generations=2)
    for path in run.champion.iterdir():
        path.unlink()
    assert main(["export", str(run.path), str(tmp_path / "model")]) == 2
    assert "has no champion yet" in capsys.readouterr().err
    assert not (tmp_path / "model").exists()


def test_a_place_that_cannot_be_written_is_one_line(run, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert main(["export", str(run.path), str(tmp_path / "file" / "model")]) == 2
    err = capsys.readouterr().err
    assert err.startswith("autotelic: ")
    assert err.count("\n") == 1


def test_a_damaged_run_is_one_clear_line(tmp_path, capsys):
    run = synthetic_run(tmp_path / "x", generations=2)
    (run.path / "record.sqlite").write_bytes(b"not a database" * 400)
    for command in (["inspect", str(run.path)], ["report", str(run.path)], ["resume", str(run.path)]):
        assert main(command) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert err.count("\n") == 1
        assert "record.sqlite" in err


def test_a_run_is_watched_to_its_end(run, capsys):
    def work(watch):
        for event in synthetic_events(3):
            watch(event)
        return json.loads(run.summary.read_text()) if run.summary.is_file() else {"stopped": "budget"}

    assert watched(work, run.path, as_json=False) == 0
    out = capsys.readouterr().out
    assert "generation     3" in out
    assert f"report:   {run.report}" in out


def test_with_json_the_output_is_json_and_the_progress_is_elsewhere(run, capsys):
    def work(watch):
        for event in synthetic_events(3):
            watch(event)
        return {"stopped": "budget"}

    assert watched(work, run.path, as_json=True) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {"stopped": "budget"}
    assert "generation     3" in err


@pytest.mark.parametrize("returns", [True, False])
def test_ctrl_c_stops_and_says_how_to_resume(run, capsys, returns):
    """Whether the loop lets the interruption through or closes in good order and returns."""

    def work(watch):
        events = synthetic_events(3)
        watch(events[0])
        signal.raise_signal(signal.SIGINT)
        try:
            watch(events[1])
        except KeyboardInterrupt:
            watch(events[-1])
            if returns:
                return {"stopped": "interrupted"}
            raise
        raise AssertionError("the run was not stopped")

    assert watched(work, run.path, as_json=False) == 130
    out, err = capsys.readouterr()
    assert f"autotelic resume {run.path}" in err
    assert "stopping at the end of this step" in out


def test_ctrl_c_before_there_is_a_run_says_that_nothing_is_left(tmp_path, capsys):
    def work(watch):
        signal.raise_signal(signal.SIGINT)
        raise AssertionError("the run was not stopped")

    assert watched(work, Path(tmp_path / "none"), as_json=False) == 130
    assert "nothing is left of it" in capsys.readouterr().err
