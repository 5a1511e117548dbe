"""What is left of a run that cannot begin, and how one goes on that was stopped as it began."""

from __future__ import annotations

import errno
import os
import resource
from pathlib import Path

import pytest
from test_loop import MACHINE, interrupt_at, saved, small

from autotelic.engine import start
from autotelic.errors import AutotelicError, ModelError, RecordError, RunError
from autotelic.loop import resume, run
from autotelic.messages import BudgetExtended, Evaluated, GenerationEnded
from autotelic.record import Journal, RunFolder, is_run


def failing(error: BaseException):  # type: ignore[no-untyped-def]
    def fail(*given: object, **named: object) -> None:
        raise error

    return fail


@pytest.mark.parametrize("what", ["save", "equip", "_seal"])
@pytest.mark.parametrize("error", [ModelError("the model cannot be", "give another"), KeyboardInterrupt()])
def test_a_run_that_cannot_begin_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, error: BaseException
) -> None:
    folder = tmp_path / "new" / "runs" / "a"
    with monkeypatch.context() as patch:
        patch.setattr(start, what, failing(error))
        with pytest.raises(type(error)):
            run(small(1), folder, machine=MACHINE)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_was_there_stays_and_is_empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.setattr(start, "save", failing(ModelError("no", "no")))
    with pytest.raises(ModelError):
        run(small(1), tmp_path / "mine", machine=MACHINE)
    assert list((tmp_path / "mine").iterdir()) == []


def test_what_is_not_ours_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(RunError, match="is not empty"):
        run(small(1), tmp_path, machine=MACHINE)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_new_run_in_place_of_another_that_cannot_begin_gives_it_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(small(1), tmp_path / "a", machine=MACHINE, watch=interrupt_at(1, "learn"))
    with Journal.open(tmp_path / "a") as journal:
        before = journal.run
    moved: list[Path] = []
    with monkeypatch.context() as patch:
        patch.setattr(start, "equip", failing(ModelError("no", "no")))
        with pytest.raises(ModelError):
            run(small(1), tmp_path / "a", machine=MACHINE, again=moved.append)
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    with Journal.open(tmp_path / "a") as journal:
        assert journal.run == before
    assert moved == []
    run(small(1, seed=1), tmp_path / "a", machine=MACHINE, again=moved.append)
    assert moved == [tmp_path / "a.1"]
    with Journal.open(tmp_path / "a.1") as journal:
        assert journal.run == before


def test_the_working_directory_can_be_a_run_and_make_place_for_one_that_goes_on_from_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run(small(1), Path(), machine=MACHINE)
    run(small(1, seed=1), Path(), machine=MACHINE, start_from=Path(), again=lambda path: None)
    assert is_run(tmp_path / "here.1")
    assert RunFolder.open(tmp_path / "here").charter().seed == 1
    modes = {path.stat().st_mode for path in (tmp_path / "here" / "champion").iterdir()}
    assert len(modes) == 1, "whoever may read its configuration may read its weights"


def test_stopped_in_the_first_exam_it_goes_on_as_if_it_had_not(tmp_path: Path) -> None:
    run(small(2), tmp_path / "whole", machine=MACHINE)
    run(small(2), tmp_path / "a", machine=MACHINE, watch=interrupt_at(0, "examine"))
    with Journal.open(tmp_path / "a") as journal:
        assert journal.latest(Evaluated) is None
    resume(tmp_path / "a")
    with Journal.open(tmp_path / "a") as journal:
        sittings = [m.when for m in journal.read() if isinstance(m, Evaluated) and m.report.exam == "sealed"]
    assert sittings[0] == "before"
    assert sittings.count("before") == 1
    assert saved(tmp_path / "a") == saved(tmp_path / "whole")


def test_no_checkpoint_no_word_of_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is full at the first checkpoint: nothing is intact, and there is nothing to resume."""
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def fail(self: object) -> None:
        error = RecordError(
            "no space left to write it", "free some space and resume; the last checkpoint is intact"
        )
        raise error from full

    monkeypatch.setattr("autotelic.engine.run.Run.save", fail)
    with pytest.raises(RunError) as caught:
        run(small(1), tmp_path / "a", machine=MACHINE)
    assert "intact" not in str(caught.value)
    assert "resume" not in str(caught.value)
    assert "free some space" in str(caught.value)
    assert not (tmp_path / "a").exists()


@pytest.fixture
def small_files() -> object:
    """`ulimit -f`, of 50 kB."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.usefixtures("small_files")
def test_a_limit_on_the_size_of_files_is_one_line_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(AutotelicError) as caught:
        run(small(1), tmp_path / "a", machine=MACHINE)
    assert "\n" not in str(caught.value)
    assert "ulimit -f" in str(caught.value)
    assert not (tmp_path / "a").exists()


def test_a_disk_that_is_full_at_the_end_is_one_line_and_a_resume_saves_the_champion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = ModelError(
        "champion cannot be written: No space left on device", "free some space, or give another folder"
    )
    full.__cause__ = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with monkeypatch.context() as patch:
        patch.setattr("autotelic.weights.door.Weights.export", failing(full))
        with pytest.raises(RunError) as caught:
            run(small(1), tmp_path / "my runs", machine=MACHINE)
    assert "free some space; then it is saved by: autotelic resume '" in str(caught.value)
    resume(tmp_path / "my runs")
    assert (tmp_path / "my runs" / "champion" / "config.json").is_file()


# ── going on ─────────────────────────────────────────────────────────────────────────────────────────────


def generations_of(folder: Path) -> list[int]:
    with Journal.open(folder) as journal:
        return [m.generation for m in journal.read() if isinstance(m, GenerationEnded)]


@pytest.mark.parametrize("limit", [{"generations": 1}, {"generations": 0, "tokens": 100}])
def test_seconds_are_given_to_a_run_whatever_it_ended_by(tmp_path: Path, limit: dict[str, float]) -> None:
    charter = small(2, **{f"budget.{key}": value for key, value in {"seconds": 0.0, **limit}.items()})
    run(charter, tmp_path / "a", machine=MACHINE)
    before = generations_of(tmp_path / "a")
    resume(tmp_path / "a", extend=BudgetExtended(seconds=2.0))
    after = generations_of(tmp_path / "a")
    assert len(after) > len(before)
    assert after == list(range(1, len(after) + 1))
    with pytest.raises(RunError, match="finished"):
        resume(tmp_path / "a")


def test_what_cannot_be_opened_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(small(2), tmp_path / "a", machine=MACHINE, watch=interrupt_at(2, "learn"))
    with Journal.open(tmp_path / "a") as journal:
        before = journal.counts()
    monkeypatch.setattr(start, "open_world", failing(ModelError("no sandbox", "give one")))
    with pytest.raises(ModelError):
        resume(tmp_path / "a")
    with Journal.open(tmp_path / "a") as journal:
        assert journal.counts() == before
