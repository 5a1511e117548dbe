"""Reports of the trainer: what reaches the ledger, what raises the brake, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from autotelic import messages as m
from autotelic.errors import AutotelicError, BrakedError, OversightError
from autotelic.oversee.bodies import HOLD, QUARANTINE, RUN, STOP, Recall
from autotelic.oversee.overseer import Overseer
from autotelic.oversee.reports import KINDS, Report, Reports, leaf_of, report_of
from autotelic.oversee.signed import Signed
from bench.protocol import world
from bench.protocol.world import KEYS, World

TRAINER = KEYS["trainer/trainer"]
ALARM = {"kind": "alarm", "trigger": "kl", "level": HOLD, "reason": "KL is 6, above 5"}


@pytest.fixture
def w() -> World:
    return World()


@pytest.fixture
def overseer(w: World) -> Iterator[Overseer]:
    here = Overseer(lambda: w.alive)
    yield here
    here.close()


def report(leaves: Any, level: int = RUN, reason: str = "") -> Report:
    return report_of(world.RUN, leaves, level, reason)


def test_leaves_of_one_report_are_one_commit_and_an_alarm_raises_the_brake(
    w: World, overseer: Overseer, monkeypatch: pytest.MonkeyPatch
) -> None:
    commits: list[list[Any]] = []
    append = w.log.append
    monkeypatch.setattr(w.log, "append", lambda leaves: (commits.append(list(leaves)), append(leaves))[1])
    overseer.report(report([{"kind": "exam", "score": "0.5"}, ALARM], HOLD, "kl: why").sign(TRAINER))
    assert [[leaf["kind"] for leaf in commit] for commit in commits] == [["exam", "alarm"], ["brake"]]
    (told,) = commits[-1]
    assert (told["to"], told["by"], told["reason"]) == (HOLD, "trigger", "kl: why")
    overseer.report(report([{"kind": "checkpoint"}]).sign(TRAINER))
    assert w.alive.state.level == HOLD  # a report lowers nothing
    with pytest.raises(BrakedError, match="no certificate"):
        w.alive._check_level(1, "certificate")


def test_a_full_disk_keeps_no_alarm_from_raising_the_brake(w: World, overseer: Overseer) -> None:
    w.fill("disk", 1)
    with pytest.raises(BrakedError, match="cannot write its record"):
        overseer.report(report([ALARM], STOP, "why").sign(TRAINER))
    assert w.alive.state.level == STOP


@pytest.mark.parametrize(
    "kind", ["brake", "certificate", "lease", "gate", "reviews", "founding", "", None, 3]
)
def test_a_trainer_reports_nothing_that_is_the_brakes_or_an_auditors(
    w: World, overseer: Overseer, kind: Any
) -> None:
    size = len(w.log.leaves)
    with pytest.raises(OversightError, match="a trainer does not report"):
        overseer.report(report([{"kind": kind}], STOP, "why").sign(TRAINER))
    assert (len(w.log.leaves), w.alive.state.level) == (size, RUN)


@pytest.mark.parametrize(
    "changes",
    [
        {"leaves": "[]"},
        {"leaves": "{}"},
        {"leaves": "no json"},
        {"leaves": '[{"kind":"alarm","kind":"exam"}]'},
        {"leaves": '[{"kind":"alarm","x":NaN}]'},
        {"leaves": json.dumps([{"kind": "alarm"}] * 1001, separators=(",", ":"))},
        {"level": QUARANTINE + 1},
        {"run": "another"},
    ],
)
def test_what_is_no_report_is_refused(w: World, overseer: Overseer, changes: dict[str, Any]) -> None:
    size = len(w.log.leaves)
    with pytest.raises(OversightError) as caught:
        overseer.report(replace(report([ALARM]), **changes).sign(TRAINER))
    assert "\n" not in str(caught.value)
    assert len(w.log.leaves) == size


def test_a_report_is_a_trainers_and_is_heard_once(overseer: Overseer) -> None:
    for name in ("auditor/honest", "brake/brake", "human/first"):
        if name in KEYS:
            with pytest.raises(OversightError):
                overseer.report(report([ALARM]).sign(KEYS[name]))
    sent = report([ALARM]).sign(TRAINER)
    overseer.report(sent)
    with pytest.raises(OversightError, match="heard before"):
        overseer.report(sent)
    with pytest.raises(OversightError):
        overseer.report(Signed.sign(TRAINER, "report", {"run": world.RUN}))


def test_what_is_heard_is_sent_once_with_the_highest_level() -> None:
    sent: list[tuple[list[dict[str, Any]], int, str]] = []
    found = Reports(lambda *given: sent.append(given))
    found.flush()
    for message in (
        m.Opened(id=1, generation=3, items=("a",), sources=("critic",), fresh=1),
        m.Looked(id=2, generation=3, said=(0.5,), truth=(1.0,)),
        m.Alarmed(id=3, generation=3, trigger="kl", level=2, reason="r"),
        m.Alarmed(id=4, generation=3, trigger="drift", level=3, reason="s"),
        m.Alarmed(id=5, generation=3, trigger="length", level=1, reason="t"),
        m.StageBegan(stage="learn"),
    ):
        found.hear(message)
    found.checkpoint(3, "sha256:m", "sha256:j", "sha256:w")
    found.flush()
    found.flush()
    ((leaves, level, reason),) = sent
    assert [leaf["kind"] for leaf in leaves] == ["sealed items", "sealed looks", *["alarm"] * 3, "checkpoint"]
    assert {leaf["kind"] for leaf in leaves} | {"exam"} == KINDS
    assert (level, reason) == (3, "drift: s")
    assert leaves[1]["looks"] == [["0.5", "1.0"]]
    assert leaf_of(m.StageBegan(stage="x")) is None


def test_a_human_takes_the_champion_back_and_nobody_else_does(w: World, overseer: Overseer) -> None:
    w.grant()
    assert w.promote(0) is not None
    gone, change = w.alive.state.champion.candidate, w.alive.state.changes
    human = next(key for name, key in KEYS.items() if name.startswith("human/"))
    order = Recall(run=world.RUN, champion=gone, change=change, reason="it cheats")
    wrong = [
        order.sign(TRAINER),
        order.sign(KEYS["auditor/honest"]),
        replace(order, champion=w.blobs[1]).sign(human),
        replace(order, change=change + 1).sign(human),
        replace(order, run="another").sign(human),
    ]
    for signed in wrong:
        with pytest.raises(AutotelicError):
            overseer.recall(signed)
    assert w.alive.state.champion.candidate == gone
    overseer.recall(order.sign(human))
    state = w.alive.state
    assert (state.level, state.revoked, state.champion.candidate) == (QUARANTINE, (gone,), w.trust.start)
    with pytest.raises(AutotelicError):
        overseer.recall(order.sign(human))
