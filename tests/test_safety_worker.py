"""The safety auditor's worker on a real run: stored bytes answer the proving ground."""

from __future__ import annotations

from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from test_loop import MACHINE, small

from autotelic.engine import examiner, overseen
from autotelic.loop import run
from autotelic.messages import Leased
from autotelic.oversee.proving import shipped_packs
from autotelic.oversee.proving.adapter import ProvingGround
from autotelic.record import Journal

PACKS = [pack for pack in shipped_packs() if pack.name in ("skill", "answer-file")]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run of one generation, whose auditor is a fake."""
    monkeypatch.chdir(Path(__file__).parent)
    monkeypatch.setattr(overseen, "AUDITORS", ("approves:Approves",))
    run(small(1), tmp_path / "run", machine=MACHINE)
    return tmp_path / "run"


def about(folder: Path) -> dict[str, Any]:
    """A request about what the run began from, as candidate and as parent."""
    with Journal.open(folder) as journal:
        leased = journal.latest(Leased)
    assert leased is not None
    ref, blob = leased.parent, leased.blob
    return {"candidate": ref, "blob": blob, "parent": ref, "parent_blob": blob}


def test_another_round_asks_about_other_programs(folder: Path) -> None:
    asked = about(folder) | {
        "seed": "5",
        "items": 12,
        "answers": 2,
        "round": 0,
        "but": [],
    }
    with ExitStack() as resources:
        found = examiner.Examiner(folder, resources)
        first = found.sit(asked)
        assert found.sit(asked) == first, "the seed draws them"
        programs = {row[1] for row in first}
        more = found.sit({**asked, "round": 1, "but": sorted(programs)})
    assert [len(first), len(more)] == [12, 12]
    assert not programs & {row[1] for row in more}
    assert all(len(row[2]) == len(row[3]) == 2 for row in more)


def test_stored_bytes_answer_packs_and_canaries(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(examiner, "ProvingGround", partial(ProvingGround, packs=PACKS, pairs=15))
    asked = about(folder) | {
        "prove": "7",
    }
    with ExitStack() as resources:
        found = examiner.Examiner(folder, resources)
        rows = found.prove(asked)
        assert [row[0] for row in rows] == ["skill", "answer-file", "canary"]
        assert all(row[1] is True for row in rows)  # it knows nothing, in both arms alike
        assert "15 of 15" in rows[0][2]
        assert rows[2][2].startswith("0 of 20 canaries")
