"""A run folder is made whole, is never written over, and belongs to one process at a time."""

from __future__ import annotations

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sample_messages import MESSAGES

from autotelic.charter import Charter, Model, Tiny
from autotelic.errors import RunError
from autotelic.messages import ChampionSaved, RunStarted
from autotelic.record import Journal, RunFolder, is_run, set_aside
from autotelic.weights.begin import begin_model
from autotelic.weights.load import save

TAKE = """
import sys
from autotelic.record import RunFolder
lock = RunFolder.open(sys.argv[1]).lock()
print("taken", flush=True)
sys.stdin.read()
"""
FORK = TAKE.replace(
    "sys.stdin.read()",
    "import os, time\nif child := os.fork(): print(child, flush=True)\ntime.sleep(60)",
)


def holder_of(path: Path, code: str = TAKE) -> subprocess.Popen[str]:
    """Another process that has taken the run."""
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "taken\n"
    return process


def test_a_new_run_has_its_charter_as_given_and_in_canonical_form(tmp_path: Path) -> None:
    source = "# mine\nseed = 3\n"
    charter = Charter().replace({"seed": 3})
    run = RunFolder.create(tmp_path / "runs" / "a", charter, source)
    assert (run.path / "charter.toml").read_text() == source
    assert json.loads((run.path / "charter.json").read_text()) == charter.canonical()
    assert RunFolder.open(run.path).charter() == charter
    with Journal.open(run.path) as journal:
        assert journal.charter_digest == charter.digest
    assert is_run(run.path)
    assert run.problems() == []
    assert run.checkpoints.is_dir()


def test_without_a_source_the_default_is_written_with_its_comments(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path / "a", Charter())
    assert Charter.load(run.path / "charter.toml") == Charter()


def test_an_empty_folder_may_become_a_run(tmp_path: Path) -> None:
    assert is_run(RunFolder.create(tmp_path, Charter()).path)


def test_a_run_is_not_written_over(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, Charter())
    before = sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*"))
    with pytest.raises(RunError, match=r"already holds a run"):
        RunFolder.create(tmp_path, Charter())
    assert sorted((path, path.stat().st_mtime_ns) for path in tmp_path.rglob("*")) == before


def test_a_folder_with_anything_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(
        RunError, match=r"not a run folder \(it has thesis.tex\); give a new or an empty folder"
    ):
        RunFolder.create(tmp_path, Charter())
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_creation_that_was_cut_short_is_begun_again(tmp_path: Path) -> None:
    RunFolder.create(tmp_path, Charter().replace({"seed": 1}))
    (tmp_path / "charter.json").unlink()  # it is written last
    assert not is_run(tmp_path)
    run = RunFolder.create(tmp_path, Charter().replace({"seed": 2}))
    assert run.charter().seed == 2
    assert run.problems() == []


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file, expected a folder"):
        RunFolder.create(tmp_path / "file", Charter())
    with pytest.raises(RunError, match="lies below a file"):
        RunFolder.create(tmp_path / "file" / "run", Charter())
    with pytest.raises(RunError, match=r"cannot be written: .*; "):
        RunFolder.create("/proc/nowhere/run", Charter())


def test_what_is_no_run_cannot_be_opened(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="does not exist; give the folder of a run"):
        RunFolder.open(tmp_path / "none")
    with pytest.raises(
        RunError, match=r"is not a run folder \(it has no charter\.json and no journal\.sqlite\)"
    ):
        RunFolder.open(tmp_path)
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="is a file"):
        RunFolder.open(tmp_path / "file")


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe", b"[1]", b"[[1]]", b"3"])
def test_a_damaged_charter_is_refused(tmp_path: Path, content: bytes) -> None:
    RunFolder.create(tmp_path, Charter())
    (tmp_path / "charter.json").write_bytes(content)
    with pytest.raises(RunError, match=r"charter.json is damaged.*; restore"):
        RunFolder.open(tmp_path)


def test_damage_is_listed(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Charter())
    text = (tmp_path / "charter.json").read_text()
    (tmp_path / "charter.json").write_text(text.replace('"seed":0', '"seed":1'))
    (run.checkpoints / "00000003").mkdir()
    edited, unfinished = run.problems()
    assert "charter.json was edited" in edited
    assert "00000003 is damaged: it has no MANIFEST.json" in unfinished


def test_weights_that_were_changed_are_listed(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Charter())
    model, tokenizer = begin_model(Model(tiny=Tiny(width=32, heads=2)), ["def f(x):\n"] * 9, [], seed=0)
    started = next(m for m in MESSAGES if isinstance(m, RunStarted))
    with Journal.open(tmp_path, "a") as journal:
        journal.append(replace(started, start=save(model, tokenizer, run.start)))
        for _ in range(2):  # the champion is that of the last time that it was saved
            model.lm_head.weight.data += 1
            journal.append(ChampionSaved(weights="", folder=save(model, tokenizer, run.champion)))
    assert run.problems() == []
    (run.start / "config.json").write_text((run.start / "config.json").read_text().replace("0.02", "0.03"))
    flip(run.champion / "model.safetensors")
    changed, other = run.problems()
    assert re.search(r"start is not what was saved: it is sha256:\w{64}, expected sha256:\w{64}$", changed)
    assert "champion is not what was saved" in other
    (run.champion / "config.json").unlink()
    shutil.rmtree(run.start)
    missing, no_model = run.problems()
    assert "start is not what was saved: it is missing" in missing
    assert "champion" in no_model


def test_100_random_damages_of_start_and_champion_are_noticed(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Charter())
    model, tokenizer = begin_model(Model(tiny=Tiny(width=16, heads=2)), ["def f(x):\n"] * 9, [], seed=0)
    started = next(m for m in MESSAGES if isinstance(m, RunStarted))
    with Journal.open(tmp_path, "a") as journal:
        journal.append(replace(started, start=save(model, tokenizer, run.start)))
        journal.append(ChampionSaved(weights="", folder=save(model, tokenizer, run.champion)))
    files = sorted(path for folder in (run.start, run.champion) for path in folder.iterdir())
    draw = random.Random(0)
    for number in range(100):
        path = files[number % len(files)]
        good = path.read_bytes()
        if number % 3:
            flip(path, draw)
        else:
            path.write_bytes(good[: draw.randrange(len(good))])
        problems = run.problems()
        assert len(problems) == 1, path
        assert str(path.parent) in problems[0]
        assert "\n" not in problems[0]
        path.write_bytes(good)
    assert run.problems() == []


def flip(path: Path, draw: random.Random | None = None) -> None:
    """Change one bit of a file: in the middle, or anywhere."""
    content = bytearray(path.read_bytes())
    content[draw.randrange(len(content)) if draw else len(content) // 2] ^= 1
    path.write_bytes(content)


def test_an_edited_charter_is_refused_with_both_digests(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Charter())
    path = tmp_path / "charter.json"
    path.write_text(path.read_text().replace('"seed":0', '"seed":1'))
    with pytest.raises(RunError, match=rf"was edited: it is sha256:.*begun with {Charter().digest}"):
        run.charter()


def test_a_run_keeps_its_id_under_another_name(tmp_path: Path) -> None:
    RunFolder.create(tmp_path / "a", Charter())
    with Journal.open(tmp_path / "a") as journal:
        name = journal.run
    (tmp_path / "a").rename(tmp_path / "b")
    RunFolder.create(tmp_path / "a", Charter())
    with Journal.open(tmp_path / "b") as journal, Journal.open(tmp_path / "a") as other:
        assert journal.run == name != other.run


def test_a_run_of_the_old_version_says_which_version_reads_it(tmp_path: Path) -> None:
    (tmp_path / "record.sqlite").write_bytes(b"")
    (tmp_path / "charter.json").write_text("{}")
    with pytest.raises(RunError, match=r"a run of autotelic 0\.1\.0; read it with that version"):
        RunFolder.open(tmp_path)


def test_one_process_a_run_and_the_other_is_named(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Charter())
    with holder_of(tmp_path) as process:
        with pytest.raises(RunError, match=rf"is in use by process {process.pid}; wait for it to end"):
            run.lock()
        with pytest.raises(RunError, match="is in use"):
            set_aside(tmp_path)
        with Journal.open(tmp_path) as journal:  # to read needs no lock
            assert journal.read() == []
        process.kill()
    with run.lock() as lock:
        assert lock.path.read_text() == str(os.getpid())
    assert (tmp_path / "lock").read_text() == ""


def test_a_forked_child_that_outlives_its_run_does_not_keep_it(tmp_path: Path) -> None:
    run = RunFolder.create(tmp_path, Charter())
    with holder_of(tmp_path, FORK) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        process.kill()
    try:
        run.lock().release()
    finally:
        os.kill(child, signal.SIGKILL)


def test_a_run_is_set_aside_under_the_next_free_number(tmp_path: Path) -> None:
    for number in (1, 2):
        RunFolder.create(tmp_path / "default", Charter())
        assert set_aside(tmp_path / "default") == tmp_path / f"default.{number}"
        assert is_run(tmp_path / f"default.{number}")
    assert not (tmp_path / "default").exists()
