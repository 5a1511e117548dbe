"""The lineage of random attempts, against a walk over the tables that shares no code with it."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from autotelic.cli import main
from autotelic.errors import RecordError
from autotelic.record import Journal, RunFolder
from autotelic.streams import stream
from autotelic.trace.lineage import lineage_of_attempt

DRAWN = 30
NAMES = ("demonstration", "practice", "own", "attempt", "proposal", "form")


class Tables:
    """The journal as plain rows."""

    def __init__(self, run: Path) -> None:
        self.db = sqlite3.connect(f"file:{run / 'journal.sqlite'}?mode=ro", uri=True)
        self.updates = {}
        for id_, data in self.db.execute("SELECT id, data FROM messages WHERE kind = 'updated' ORDER BY id"):
            one = json.loads(data)
            if one["after"] != one["before"]:
                self.updates[one["after"]] = (id_, one)

    def weights_of(self, attempt: int) -> str:
        (steps,) = self.db.execute("SELECT steps FROM episodes WHERE row = ?", [attempt]).fetchone()
        return str(json.loads(steps)[0][4])

    def entries(self, message: int) -> list[tuple[str, str]]:
        """Kind and node of each sequence of an update."""
        kinds, refs = self.db.execute(
            "SELECT kinds, refs FROM entries WHERE message = ?", [message]
        ).fetchone()
        found = []
        for number, ref in zip(kinds, np.frombuffer(refs, "<u4").tolist(), strict=True):
            if number >= len(NAMES):
                continue
            name = NAMES[number]
            if name in ("demonstration", "practice", "form"):
                (id_,) = self.db.execute("SELECT id FROM tasks WHERE row = ?", [ref]).fetchone()
                found.append((name, f"task:{id_}"))
            else:
                found.append((name, f"{'proposal' if name == 'proposal' else 'attempt'}:{ref}"))
        return found

    def task(self, id_: str) -> tuple[str, list[str]]:
        author, shown = self.db.execute("SELECT author, shown FROM tasks WHERE id = ?", [id_]).fetchone()
        return author, json.loads(shown)


def test_the_lineage_of_random_attempts_is_whole(real_run: Path) -> None:
    tables, run = Tables(real_run), RunFolder.open(real_run)
    learned = 0
    with Journal.open(real_run) as journal:
        n = journal.counts()["episodes"]
        for row in stream(0, "lineage", "attempts").choice(n, size=DRAWN, replace=False):
            attempt = int(row) + 1
            lineage = lineage_of_attempt(run, journal, attempt)
            assert lineage.complete, lineage.missing
            learned += _walk(tables, lineage.as_json(), attempt)
    assert learned > DRAWN // 2


def _walk(tables: Tables, found: dict[str, Any], attempt: int) -> bool:
    """Follow the tables from an attempt to the start, and see that each step is an edge of the lineage."""
    edges = {tuple(edge) for edge in found["edges"]}
    digest = tables.weights_of(attempt)
    (task,) = tables.db.execute("SELECT task FROM episodes WHERE row = ?", [attempt]).fetchone()
    node = f"attempt:{attempt}"
    assert (node, "sampled from", f"weights:{digest}") in edges
    assert (node, "answers", f"task:{task}") in edges
    said = tables.db.execute(
        "SELECT reason FROM verdicts WHERE episode = ? ORDER BY row", [attempt]
    ).fetchall()
    assert [v["reason"] for v in found["nodes"][node]["verdicts"]] == [reason for (reason,) in said]
    first = True
    while digest in tables.updates:
        id_, data = tables.updates[digest]
        update = next(node for node, facts in found["nodes"].items() if facts.get("message") == id_)
        assert (f"weights:{digest}", "made by", update) in edges
        assert (update, "learned on top of", f"weights:{data['before']}") in edges
        assert found["nodes"][update]["step"] == data["step"]
        if first:
            _sequences(tables, found, edges, update, id_)
        digest, first = data["before"], False
    assert (f"weights:{digest}", "begun by", "run") in edges
    return not first


def _sequences(
    tables: Tables, found: dict[str, Any], edges: set[tuple[str, ...]], update: str, id_: int
) -> None:
    expected = tables.entries(id_)
    sequences = [
        target
        for source, relation, target in found["edges"]
        if (source, relation) == (update, "consisted of")
    ]
    assert len(sequences) == len(expected)
    of = {source: target for source, relation, target in found["edges"] if relation == "is"}
    assert Counter((found["nodes"][s]["learned_as"], of[s]) for s in sequences) == Counter(expected)
    for _, node in expected:
        assert node in found["nodes"]
        kind, name = node.split(":")
        if kind == "attempt":
            (task,) = tables.db.execute("SELECT task FROM episodes WHERE row = ?", [int(name)]).fetchone()
            assert (node, "answers", f"task:{task}") in edges
            assert found["nodes"][node]["verdicts"]
        elif kind == "task":
            author, shown = tables.task(name)
            assert (node, "written by", "rules" if author == "rules" else f"weights:{author}") in edges
            targets = {target for source, _, target in edges if source == node}
            assert {f"task:{one}" for one in shown} <= targets


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
