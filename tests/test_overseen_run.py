"""A whole run under its overseer: certificates, a kill after one, the brake, the audit, and what was changed."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from test_loop import MACHINE, interrupt_at, small

from autotelic.cli import main
from autotelic.engine import overseen
from autotelic.errors import BrakedError
from autotelic.judge.consensus import Consensus
from autotelic.loop import resume, run
from autotelic.messages import (
    Alarmed,
    Decided,
    Leased,
    Message,
    Opened,
    RunStopped,
    StageBegan,
    Updated,
)
from autotelic.oversee.permits import Certificate
from autotelic.record import Journal
from autotelic.types import Verdict

HERE = Path(__file__).parent


@pytest.fixture(autouse=True)
def approving(monkeypatch: pytest.MonkeyPatch) -> None:
    """One auditor, which approves: what a model of seconds learns would certify nothing."""
    monkeypatch.chdir(HERE)
    monkeypatch.setattr(overseen, "AUDITORS", ("approves:Approves",))


@pytest.fixture(scope="module")
def certified(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that was interrupted right after its first certificate, before a checkpoint, and then taken up."""
    folder = tmp_path_factory.mktemp("runs") / "certified"

    def watch(message: Message) -> None:
        if isinstance(message, Decided):
            raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(HERE)
        patch.setattr(overseen, "AUDITORS", ("approves:Approves",))
        run(small(4), folder, machine=MACHINE, watch=watch)
        resume(folder)
    return folder


def test_a_kill_between_certificate_and_checkpoint_resumes_into_the_brakes_champion(certified: Path) -> None:
    with Journal.open(certified) as journal:
        lost = [m for m in journal.read(superseded=True) if isinstance(m, Decided)]
        kept = [m for m in journal.read() if isinstance(m, Decided)]
        leases = [m for m in journal.read() if isinstance(m, Leased)]
    first = lost[0]
    assert first.decision.verdict == "promote"
    assert first.id not in [m.id for m in kept]
    taken = next(m for m in leases if m.epoch > 3 and m.parent == first.weights)
    assert taken.certificate == first.decision.certificate == 0
    assert len({m.epoch for m in leases}) == len(leases)
    # What trains on makes the same weights again; they are certified already and never twice.
    assert [m.decision.certificate for m in kept if m.decision.verdict == "promote"] == [1]


def test_the_champion_has_its_certificate_beside_it(certified: Path) -> None:
    found = Certificate.parse(json.loads((certified / "champion" / "certificate.json").read_text()))
    with Journal.open(certified) as journal:
        last = [m for m in journal.read() if isinstance(m, Decided)][-1]
    assert found.countersigned.body["candidate"] == last.weights
    assert found.countersigned.body["generation"] == last.decision.certificate


def test_every_decision_is_computed_again_with_and_without_the_run(
    certified: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["audit", str(certified)]) == 0
    assert "by certificate 1 of the run; grade A" in capsys.readouterr().out
    assert main(["ledger", "verify", "--sealed", str(certified)]) == 0
    exported = tmp_path / "ledger.jsonl"
    assert main(["ledger", "export", str(certified), str(exported)]) == 0
    assert main(["audit", "--against", str(exported)]) == 0
    exported.write_text(exported.read_text().replace('"quorum":1', '"quorum":0'))
    assert main(["audit", "--against", str(exported)]) == 1


def test_a_changed_byte_of_the_ledger_or_of_the_champion_is_refused(certified: Path, tmp_path: Path) -> None:
    shutil.copytree(certified, tmp_path / "copy")
    ledger = tmp_path / "copy" / "oversight" / "ledger.sqlite"
    content = bytearray(ledger.read_bytes())
    content[content.find(b"sha256:") + 20] ^= 1
    ledger.write_bytes(content)
    assert main(["ledger", "verify", str(tmp_path / "copy")]) == 1
    assert main(["audit", str(tmp_path / "copy")]) == 1
    weights = tmp_path / "copy" / "champion" / "model.safetensors"
    changed = bytearray(weights.read_bytes())
    changed[-7] ^= 1
    weights.write_bytes(changed)
    assert main(["exam", str(tmp_path / "copy")]) != 0


def test_a_brake_that_is_set_ends_the_run_and_humans_let_it_go_on(tmp_path: Path) -> None:
    folder = tmp_path / "braked"

    def watch(message: Message) -> None:
        if isinstance(message, StageBegan) and message.generation == 2 and message.stage == "learn":
            assert main(["brake", "set", "stop", str(folder), "--reason", "a test"]) == 0

    def next_update(message: Message) -> None:
        if isinstance(message, Updated):
            raise KeyboardInterrupt

    summary = run(small(40), folder, machine=MACHINE, watch=watch)
    assert summary["stopped"] == "braked"
    assert "a test" in summary["why"]
    with Journal.open(folder) as journal:
        assert max(m.generation for m in journal.read() if isinstance(m, Updated)) < 40
        stopped = journal.latest(RunStopped)
    assert stopped is not None
    assert stopped.reason == "braked"
    with pytest.raises(BrakedError, match="no lease"):
        resume(folder)
    assert main(["brake", "release", str(folder)]) == 0
    resume(folder, watch=next_update)
    with Journal.open(folder) as journal:
        last = journal.latest(RunStopped)
    assert last is not None
    assert last.reason == "interrupted"
    assert main(["audit", str(folder)]) == 0


def leaves_of(folder: Path) -> list[dict[str, Any]]:
    place = folder / "oversight" / "ledger.sqlite"
    with sqlite3.connect(f"file:{place}?mode=ro", uri=True) as connection:
        return [
            json.loads(content) for (content,) in connection.execute("SELECT data FROM leaves ORDER BY id")
        ]


def test_a_proxy_that_drifts_raises_the_brake_and_is_on_the_ledger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy that is pleased with everything, in a model that knows nothing: drift, at the first look."""
    pleased = Verdict(reward=1.0, passed=True, reason="pleased", source="consensus")
    monkeypatch.setattr(
        Consensus, "judge", lambda self, groups: [[pleased] * len(g.episodes) for g in groups]
    )
    folder = tmp_path / "drifting"
    charter = small(4, **{"feedback.consensus": 0.5, "feedback.guard": 40})
    summary = run(charter, folder, machine=MACHINE)
    assert summary["stopped"] == "braked"
    assert "drift: lifetime evidence" in summary["why"]
    with Journal.open(folder) as journal:
        alarms = [m for m in journal.read() if isinstance(m, Alarmed)]
        opened = [m for m in journal.read() if isinstance(m, Opened)]
    assert {alarm.trigger for alarm in alarms} == {"drift", "early drift"}
    assert len(opened[0].items) == 40
    told = leaves_of(folder)
    kinds = [leaf["kind"] for leaf in told]
    assert kinds.index("sealed items") < kinds.index("sealed looks") < kinds.index("alarm")
    assert {"exam", "checkpoint"} <= set(kinds)
    raised = next(leaf for leaf in told if leaf["kind"] == "brake")
    assert (raised["to"], raised["by"]) == (3, "trigger")
    assert summary["oversight"]["alarms"]
    # One human is not enough. Two are, and the same evidence does not raise the brake again.
    first = folder / "oversight" / "keys" / "human-first.key"
    assert main(["brake", "release", str(folder), "--key", str(first)]) == 2
    assert main(["brake", "release", str(folder)]) == 0
    resume(folder, watch=interrupt_at(alarms[0].generation + 1, "attempt"))
    with Journal.open(folder) as journal:
        assert journal.latest(RunStopped) is not None
        assert max(m.generation for m in journal.read() if isinstance(m, Leased)) > alarms[0].generation
    assert main(["audit", str(folder)]) == 0


def set_at(folder: Path, generation: int, *command: str) -> Callable[[Message], None]:
    """A watcher that gives a command from outside once this generation learns."""

    def watch(message: Message) -> None:
        if isinstance(message, StageBegan) and (message.generation, message.stage) == (generation, "learn"):
            # The watch of the run may interrupt this very call, once the brake is set: its code says nothing.
            main(["brake", *command, str(folder), "--reason", "a test"])

    return watch


@pytest.mark.parametrize("command", [("set", "quarantine"), ("rollback",)])
def test_a_command_rolls_a_live_run_back_to_certified_weights(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    """Generation 2 is certified. Generation 4 is told to go back: with `set quarantine` to 2, with `rollback` to the
    weights that the run began from.
    """
    folder = tmp_path / "live"
    summary = run(small(4), folder, machine=MACHINE, watch=set_at(folder, 4, *command))
    assert (summary["stopped"], "a test" in summary["why"]) == ("braked", True)
    first = folder / "oversight" / "keys" / "human-first.key"
    assert main(["brake", "release", str(folder), "--key", str(first)]) == 2
    with pytest.raises(BrakedError, match="no lease"):
        resume(folder)
    assert main(["brake", "release", str(folder)]) == 0
    resume(folder)
    with Journal.open(folder) as journal:
        promoted = next(m for m in journal.read() if isinstance(m, Decided))
        (clean,) = [m for m in journal.read() if isinstance(m, Leased) and m.clean]
        updates = [m for m in journal.read() if isinstance(m, Updated)]
    assert promoted.decision.verdict == "promote"
    assert (clean.parent == promoted.weights) == (command[0] == "set")
    assert (clean.certificate >= 0) == (command[0] == "set")
    certified_ones = [m.after for m in updates if m.generation == 2][-1]
    goes_on_from = next(m.before for m in updates if m.generation == 4)
    assert goes_on_from == (certified_ones if command[0] == "set" else updates[0].before)
    if command[0] == "rollback":
        told = leaves_of(folder)
        assert [leaf["revocation"]["candidate"] for leaf in told if leaf["kind"] == "revocation"] == [
            promoted.weights
        ]
        assert (folder / "champion").is_dir()
    assert main(["audit", str(folder)]) == 0


def test_an_order_to_roll_back_is_a_humans_and_works_once(tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "ordered"
    run(small(3), folder, machine=MACHINE, watch=interrupt_at(3, "propose"))
    assert main(["brake", "rollback", str(folder), "--key", str(folder / "oversight/keys/trainer.key")]) == 2
    assert "human" in capsys.readouterr().err
    assert main(["brake", "rollback", str(folder)]) == 0
    assert main(["brake", "rollback", str(folder)]) == 2
    assert "nothing to go back to" in capsys.readouterr().err
