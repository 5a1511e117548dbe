"""`autotelic export` into places of every kind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from autotelic.cli import main
from autotelic.commands import exporting
from autotelic.commands.opening import champion_of
from autotelic.weights.load import load


def exported(made, dest) -> int:
    return main(["export", str(made[0].path), str(dest)])


def test_into_the_working_directory(made, tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    assert exported(made, ".") == 0
    assert load(tmp_path / "here").ref == champion_of(made[0])[1]
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


def test_into_its_parent_by_two_dots(made, tmp_path, monkeypatch):
    (tmp_path / "a" / "b").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "a" / "b")
    assert exported(made, "../../c") == 0
    assert exported(made, "..") == 2, "which is not empty"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "c"]


def test_into_an_empty_folder_through_a_link(made, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    assert exported(made, tmp_path / "link") == 0
    assert (tmp_path / "link").is_symlink()
    assert load(tmp_path / "real").ref == champion_of(made[0])[1]


def test_through_a_link_to_what_does_not_exist_yet(made, tmp_path):
    (tmp_path / "link").symlink_to("real")
    assert exported(made, tmp_path / "link") == 0
    assert load(tmp_path / "real").ref == champion_of(made[0])[1]


@pytest.mark.parametrize("kind", ["file", "circle", "below a file", "/dev/null"])
def test_into_what_is_no_place_is_one_line(made, tmp_path, capsys, kind):
    (tmp_path / "file").write_text("x")
    (tmp_path / "circle").symlink_to("circle")
    places = {"below a file": tmp_path / "file" / "x", "/dev/null": Path("/dev/null")}
    assert exported(made, places.get(kind, tmp_path / kind)) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert str(places.get(kind, tmp_path / kind)) in err
    assert (tmp_path / "file").read_text() == "x"


@pytest.mark.parametrize("there", [True, False])
def test_what_fails_half_way_leaves_nothing_that_looks_like_a_model(made, tmp_path, monkeypatch, there):
    def full(source: Path, target: Path) -> None:
        target.mkdir(parents=True)
        (target / "model.safetensors").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exporting, "_copy_model", full)
    if there:
        (tmp_path / "out").mkdir()
    assert exported(made, tmp_path / "out") == 2
    assert (tmp_path / "out").exists() == there
    assert not list(tmp_path.rglob("*.safetensors"))


@pytest.mark.parametrize("where", [".", "vol"])
def test_onto_a_mount_point(made, tmp_path, where):
    place = tmp_path / "vol"
    place.mkdir()
    mount = f"mount -t tmpfs none {place} && cd {place if where == '.' else tmp_path}"
    if subprocess.run(["unshare", "-Urm", "sh", "-c", mount], capture_output=True, check=False).returncode:
        pytest.skip("no user namespaces here, so nothing can be mounted")
    run = f"{sys.executable} -m autotelic.cli export {made[0].path} {where} && ls -a {place}"
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-c", f"{mount} && {run}"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )
    assert done.returncode == 0, done.stderr
    assert {"config.json", "model.safetensors", "README.md"} <= set(done.stdout.split())
    assert ".new" not in done.stdout.split()


def test_the_record_as_parquet_and_json_lines(real_run, tmp_path, capsys):
    parquet = pytest.importorskip("pyarrow.parquet", reason="pip install -e '.[frames]'")
    assert main(["export", str(real_run), str(tmp_path / "p"), "--parquet"]) == 0
    assert str(tmp_path / "p" / "tasks.parquet") in capsys.readouterr().out
    assert main(["export", str(real_run), str(tmp_path / "j"), "--jsonl"]) == 0
    rows = (tmp_path / "j" / "tasks.jsonl").read_text().splitlines()
    assert parquet.read_table(tmp_path / "p" / "tasks.parquet").num_rows == len(rows)


def test_two_exports_at_once_are_refused_and_leave_nothing(real_run, tmp_path, capsys):
    assert main(["export", str(real_run), str(tmp_path / "x"), "--parquet", "--jsonl"]) == 2
    assert "give one of them" in capsys.readouterr().err
    assert not (tmp_path / "x").exists()
