"""The lineage of random attempts, against a walk over the tables that shares no code with it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from autotelic.cli import main
from autotelic.errors import RecordError
from autotelic.record import Journal, RunFolder
from autotelic.streams import stream
from autotelic.trace.lineage import lineage_of_attempt
from bench.lineage import Tables, Walk

DRAWN = 30


def test_the_lineage_of_random_attempts_is_whole(real_run: Path) -> None:
    tables, run = Tables(real_run), RunFolder.open(real_run)
    learned = 0
    with Journal.open(real_run) as journal:
        n = journal.counts()["episodes"]
        for row in stream(0, "lineage", "attempts").choice(n, size=DRAWN, replace=False):
            attempt = int(row) + 1
            walk = Walk(tables, lineage_of_attempt(run, journal, attempt).as_json(), attempt)
            assert walk.problems == []
            learned += walk.updates > 0
    assert learned > DRAWN // 2


def test_the_walk_finds_an_edge_that_was_taken_out(real_run: Path) -> None:
    tables, run = Tables(real_run), RunFolder.open(real_run)
    with Journal.open(real_run) as journal:
        last = journal.counts()["episodes"]
        attempt = next(n for n in range(last, 0, -50) if tables.weights_of(n) in tables.updates)
        found = lineage_of_attempt(run, journal, attempt).as_json()
    relations = {relation for _, relation, _ in found["edges"]}
    assert {"made by", "learned on top of", "answers", "begun by", "consisted of"} <= relations
    for relation in sorted(relations - {"shows", "signed in", "is evidence in"}):
        edges = [edge for edge in found["edges"] if edge[1] != relation]
        assert Walk(tables, {**found, "edges": edges}, attempt).problems, relation


def test_a_link_that_is_gone_is_said(real_run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(real_run, tmp_path / "copy"))
    with Journal.open(real_run) as journal:
        last = journal.counts()["episodes"]
    db = sqlite3.connect(copy / "journal.sqlite")

    def made(n: int) -> tuple[str, int] | None:
        digest = Tables(real_run).weights_of(n)
        found = db.execute(
            "SELECT id FROM messages WHERE kind = 'updated' AND data LIKE ?", [f'%"after":"{digest}"%']
        ).fetchone()
        return None if found is None else (digest, found[0])

    # The newest attempt whose weights an update made: the last ones may be by the champion that the run began from.
    n = next(number for number in range(last, 0, -50) if made(number) is not None)
    digest, id_ = made(n) or ("", 0)
    db.execute("DELETE FROM messages WHERE id = ?", [id_])
    db.commit()
    db.close()
    with Journal.open(copy) as journal:
        lineage = lineage_of_attempt(RunFolder.open(copy), journal, n)
    assert not lineage.complete
    assert digest in lineage.missing[0]


def test_pruned_checkpoints_take_nothing_from_a_lineage(real_run: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(real_run, tmp_path / "copy"))
    shutil.rmtree(copy / "checkpoints")
    shutil.rmtree(copy / "weights")
    with Journal.open(copy) as journal:
        assert lineage_of_attempt(RunFolder.open(copy), journal, 300).complete


@pytest.mark.parametrize("number", [0, -1, 10**6, 2**70])
def test_an_attempt_that_there_is_not(real_run: Path, number: int) -> None:
    with Journal.open(real_run) as journal, pytest.raises(RecordError, match="has no attempt"):
        lineage_of_attempt(RunFolder.open(real_run), journal, number)


def test_the_command(real_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["why", str(real_run), "--attempt", "1"]) == 0
    assert "The lineage is whole" in capsys.readouterr().out
    assert main(["why", str(real_run), "--attempt", "400", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["complete"]
    assert found["missing"] == []
    task = found["nodes"][next(t for s, r, t in found["edges"] if (s, r) == ("attempt:400", "answers"))]["id"]
    assert main(["why", str(real_run), "--item", task[:10]]) == 0
    assert f"Task {task}" in capsys.readouterr().out
    for wrong in (["--attempt", "99999"], ["--item", "zzz"], [], ["--attempt", "1", "--item", "a"]):
        assert main(["why", str(real_run), *wrong]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1


def test_the_champion_answers_a_prompt(real_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        main(
            ["why", str(real_run), "--prompt", "<|deduction|>def f(x):\n    x = x + 2\n    return x\nf(9)\n"]
        )
        == 0
    )
    assert "The lineage is whole" in capsys.readouterr().out
    for wrong in ("", "f(9)" * 2000):
        assert main(["why", str(real_run), "--prompt", wrong]) == 2
        assert len(capsys.readouterr().err.splitlines()) == 1
