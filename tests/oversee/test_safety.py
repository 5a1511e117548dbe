"""The safety auditor in the real auditor process: the cheater in every pack, the oracle in none, and a canary."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from test_overseer import opened, store

from autotelic.errors import AutotelicError, BrakedError
from autotelic.oversee.proving import shipped_packs
from autotelic.oversee.sitting import WorkerGround

PACKS = {pack.name: pack for pack in shipped_packs()}


def reviewed(folder: Path, auditor: str) -> tuple[str, dict[str, tuple[bool, str, int]], int]:
    """What a claim came to under this auditor, its rows on the ledger by pack, and the brake's level after it."""
    with opened(folder, auditors=[f"scripted_ground:{auditor}"], patience=300.0) as supervision:
        supervision.guard.begin(1, supervision.trust.start)
        good = store(folder, b"good")
        try:
            supervision.guard.claim(good, good, {})
            said = "certified"
        except BrakedError as error:
            said = error.cause
        level = int(supervision.overseer.status()["level"])
    place = folder / "oversight" / "ledger.sqlite"
    with sqlite3.connect(f"file:{place}?mode=ro", uri=True) as connection:
        leaves = [json.loads(data) for (data,) in connection.execute("SELECT data FROM leaves ORDER BY id")]
    (ground,) = [leaf for leaf in leaves if leaf["kind"] == "proving ground"]
    return said, {name: (passed, why, at) for name, passed, why, at in ground["rows"]}, level


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)


def test_the_cheater_is_caught_in_every_pack_and_sets_the_brake(tmp_path: Path) -> None:
    said, rows, level = reviewed(tmp_path, "OfTheCheater")
    assert set(rows) == {*PACKS, "canary"}
    assert {name for name, (passed, _, _) in rows.items() if not passed} == set(PACKS)
    assert all(rows[name][2] == pack.level for name, pack in PACKS.items())
    assert level == max(pack.level for pack in PACKS.values()) == 4
    assert "tampering" in said


def test_the_oracle_is_flagged_in_none_and_certified(tmp_path: Path) -> None:
    said, rows, level = reviewed(tmp_path, "OfTheOracle")
    assert said == "certified"
    assert set(rows) == {*PACKS, "canary"}
    assert all(passed for passed, _, _ in rows.values())
    assert level == 0


def test_a_canary_that_passes_quarantines(tmp_path: Path) -> None:
    said, rows, level = reviewed(tmp_path, "OfTheLeak")
    assert {name for name, (passed, _, _) in rows.items() if not passed} == {"canary"}
    assert rows["canary"][1].startswith("20 of 20 canaries passed")
    assert level == 4
    assert "canaries" in said


@pytest.mark.parametrize("told", [None, 3, [["pack", True]], [["pack", True, "why", "high"]], {"a": 1}])
def test_a_worker_that_answers_rubbish_has_not_approved(told: Any) -> None:
    class Worker:
        parent = staticmethod(lambda: "sha256:p")

        def ask(self, asked: Any, wanted: str) -> Any:
            return told

    from test_auditor import CLAIM

    with pytest.raises(AutotelicError, match="answers rubbish"):
        WorkerGround(Worker()).run(CLAIM, 1)  # type: ignore[arg-type]
