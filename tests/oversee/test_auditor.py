"""Auditors: those that ship, one in twenty lines, and answers that are rubbish, twice, late or never."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, cast

import pytest

from autotelic.errors import BrakedError, OversightError
from autotelic.oversee.auditor import (
    Auditor,
    Docket,
    Opinion,
    SigningAuditor,
    approve,
    ask,
    open_docket,
    refuse,
    sign_opinion,
)
from autotelic.oversee.auditors import ExamAuditor, OneSitting, RateAuditor, SafetyAuditor
from autotelic.oversee.bodies import HOLD, QUARANTINE, Claim, LeaseRequest, Review
from autotelic.oversee.keys import PrivateKey
from autotelic.oversee.overseer import Overseer
from autotelic.oversee.signed import Signed
from autotelic.oversee.sitting import Rounds, WorkerSitting
from bench.protocol.observer import CHARTER, KEYS, RUN
from bench.protocol.simulated import SimClock
from bench.protocol.world import World
from examples.short_answers import ShortAnswers

CLAIM = Claim(
    run="r", charter="c", lease="l", candidate="x", blob="x", parent="p", epoch=1, generation=0
)  # fmt: skip
FIRST, SECOND = (PrivateKey("auditor", name, name.encode().ljust(32)) for name in ("first", "second"))
EVIDENCE: Mapping[str, Any] = {"length": {"parent": 40, "candidate": 50}}


class Says(SigningAuditor):
    """Says what it is told to, after so many seconds."""

    def __init__(self, key: PrivateKey, says: Opinion | Exception, after: float = 0.0) -> None:
        super().__init__(key)
        self.says, self.after = says, after

    def opinion(self, candidate: Claim, evidence: Mapping[str, Any]) -> Opinion:
        time.sleep(self.after)
        if isinstance(self.says, Exception):
            raise self.says
        return self.says


def docket() -> Docket:
    return open_docket(CLAIM, EVIDENCE, (FIRST.public, SECOND.public))


def review(key: PrivateKey, opinion: Opinion, **changes: Any) -> Signed:
    return sign_opinion(key, replace(CLAIM, **changes), EVIDENCE, opinion)


def hows(found: Docket) -> list[str]:
    return [answer.how for answer in found.answers]


# ── one in twenty lines ──────────────────────────────────────────────────────────────────────────────────


def test_the_example_is_an_auditor() -> None:
    auditor: Auditor = ShortAnswers(FIRST)
    body = Review.opened(auditor.review(CLAIM, EVIDENCE), FIRST.public)
    assert (body.verdict, body.is_about(CLAIM)) == ("approve", True)
    assert body.reasons == ("answers have 50 tokens, 40 before",)
    padded = {"length": {"parent": 40, "candidate": 61}}
    assert Review.opened(auditor.review(CLAIM, padded), FIRST.public).verdict == "refuse"
    with pytest.raises(KeyError):
        auditor.review(CLAIM, {})


def test_an_auditor_needs_an_auditors_key() -> None:
    with pytest.raises(OversightError, match="key of the trainer"):
        ShortAnswers(KEYS["trainer/trainer"])


# ── answers ──────────────────────────────────────────────────────────────────────────────────────────────


def test_the_first_answer_counts_and_a_refusal_stays_one() -> None:
    found = docket()
    for key, opinion in (
        (FIRST, approve()),
        (FIRST, approve("again")),
        (FIRST, refuse()),
        (FIRST, approve()),
    ):
        found.receive(review(key, opinion))
    found.receive(review(SECOND, refuse()))
    found.receive(review(SECOND, approve()))
    assert hows(found) == ["approve", "repeated", "refuse", "repeated", "refuse", "after a refusal"]
    assert found.missing() == []


@pytest.mark.parametrize(
    "answer",
    [None, 1, "yes", {"verdict": "approve"}, CLAIM.sign(FIRST),
     review(PrivateKey("auditor", "third", b"3" * 32), approve()),
     replace(review(FIRST, approve()), signature=b"x"), replace(review(SECOND, approve()), name="first"),
     sign_opinion(KEYS["trainer/trainer"], CLAIM, EVIDENCE, approve()),
     Signed.sign(FIRST, "review", {"verdict": "approve"})],
)  # fmt: skip
def test_rubbish_counts_for_nothing(answer: Any) -> None:
    found = docket()
    assert found.receive(answer).how == "rubbish"
    assert found.reviews == ()
    assert found.missing() == ["first", "second"]


@pytest.mark.parametrize(
    "changes",
    [{"candidate": "y"}, {"parent": "y"}, {"epoch": 2}, {"generation": 1}, {"run": "y"}, {"blob": "y"}],
)
def test_an_answer_about_something_else_counts_for_nothing(changes: dict[str, Any]) -> None:
    found = docket()
    assert found.receive(review(FIRST, approve(), **changes)).how == "of another"
    other = sign_opinion(FIRST, CLAIM, {"other": "evidence"}, approve())
    assert found.receive(other).how == "of another"
    assert found.reviews == ()


def test_what_comes_late_or_never_is_noted_and_does_not_count() -> None:
    found = docket()
    found.close()
    assert hows(found) == ["never", "never"]
    assert found.receive(review(FIRST, approve())).how == "late"
    assert found.reviews == ()
    assert [told["how"] for told in found.leaf()["answers"]] == ["never", "never", "late"]


def test_auditors_are_asked_at_once_and_one_that_hangs_or_fails_keeps_nobody() -> None:
    found = docket()
    hangs = threading.Event()

    class Hanging(SigningAuditor):
        def opinion(self, candidate: Claim, evidence: Mapping[str, Any]) -> Opinion:
            hangs.wait()
            return approve()

    ask([Hanging(FIRST), Says(SECOND, approve())], found, EVIDENCE, 0.5)
    found.close()
    assert hows(found) == ["approve", "never"]
    hangs.set()
    other = docket()
    ask([Says(FIRST, ValueError("no")), Says(SECOND, refuse("bad"))], other, EVIDENCE, 5.0)
    other.close()
    assert sorted(hows(other)) == ["failed", "refuse"]


def test_evidence_is_plain() -> None:
    with pytest.raises(OversightError):
        open_docket(CLAIM, {"a": float("nan")}, (FIRST.public,))


# ── those that ship ──────────────────────────────────────────────────────────────────────────────────────


ITEM = SimpleNamespace(item="item", program="p", champion=(0.0, 1.0), candidate=(1.0, 1.0))
"""An item with how both fared on it."""


class Sits:
    """Remembers what it was asked, and gives the same items."""

    def __init__(self, items: Sequence[Any] = (ITEM,)) -> None:
        self.items, self.seeds = items, []  # type: ignore[var-annotated]

    def warm(self) -> None:
        self.warmed = True

    def sit(self, candidate: Claim, seed: int) -> Sequence[Any]:
        self.seeds.append(seed)
        return self.items

    def close(self) -> None:
        """Holds nothing."""


class Works:
    """A worker that has so many rounds of two items, and then too few other programs."""

    items = 2

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        self.closed = self.warmed = False

    def warm(self) -> None:
        self.warmed = True

    def sit(self, candidate: Claim, seed: int) -> list[Any]:
        return self.round(candidate, seed, [])

    def round(self, candidate: Claim, seed: int, before: Sequence[Any]) -> list[Any]:
        number = len(before) // self.items
        made = [SimpleNamespace(item=f"{number}.{n}", program=f"{number}.{n}") for n in range(self.items)]
        return made if number < self.rounds else made[:1]

    def close(self) -> None:
        self.closed = True


@pytest.mark.parametrize(("wanted", "there", "asked"), [(1, 9, 1), (3, 9, 3), (3, 2, 2), (3, 0, 0)])
def test_rounds_go_on_while_they_may_decide_and_while_there_are_items(
    wanted: int, there: int, asked: int
) -> None:
    worker = Works(there)
    sitting = Rounds(cast(WorkerSitting, worker), lambda items: len(items) < 2 * wanted)
    sitting.warm()
    items = sitting.sit(CLAIM, 1)
    sitting.close()
    assert (worker.warmed, worker.closed) == (True, True)
    whole = [f"{number}.{n}" for number in range(asked) for n in range(2)]
    assert [one.item for one in items] == (whole or ["0.0"]), "a first round that is short is given as it is"


@dataclass(frozen=True)
class Ruled:
    outcome: str
    reason: str


class Rules:
    def __init__(self, outcome: str) -> None:
        self.outcome = outcome

    def review(self, items: Sequence[Any]) -> Any:
        return Ruled(self.outcome, f"on {len(items)} items")


@pytest.mark.parametrize(
    ("outcome", "verdict", "alarms"),
    [("certify", "approve", []), ("train on", "refuse", []), ("roll back", "refuse", [QUARANTINE])],
)
def test_the_exam_auditor_decides_by_its_own_items(outcome: str, verdict: str, alarms: list[int]) -> None:
    sits, raised = Sits(), []
    auditor = ExamAuditor(FIRST, sits, Rules(outcome), seed=b"s" * 32)
    auditor.alarm = lambda level, reason: raised.append(level)
    body = Review.opened(auditor.review(CLAIM, {"trust": "me"}), FIRST.public)
    assert (body.verdict, raised) == (verdict, alarms)
    auditor.review(replace(CLAIM, generation=1), {})
    auditor.review(replace(CLAIM, candidate="y"), {})
    auditor.review(CLAIM, {})
    first, second, third, again = sits.seeds
    assert len({first, second, third}) == 3
    assert first == again
    assert ExamAuditor(FIRST, sits, Rules("certify"), seed=b"t" * 32).seed_of(CLAIM) != first


def test_the_exam_auditors_seed_is_committed_to_and_can_be_opened() -> None:
    import hashlib

    auditor = ExamAuditor(FIRST, Sits(), Rules("certify"))
    assert auditor.commitment == "sha256:" + hashlib.sha256(bytes.fromhex(auditor.opened())).hexdigest()
    with pytest.raises(OversightError, match="32 bytes"):
        ExamAuditor(FIRST, Sits(), Rules("certify"), seed=b"short")


@pytest.mark.parametrize(
    ("rows", "verdict", "alarms"),
    [([("canary", True, "0 of 20", 4)], "approve", []), ([], "refuse", []),
     ([("canary", True, "0 of 20", 4), ("skill", False, "9 of 20", 2), ("open", False, "9 of 9", 3)], "refuse", [3])],
)  # fmt: skip
def test_the_safety_auditor_refuses_what_did_not_pass_a_pack(
    rows: list[tuple[str, bool, str, int]], verdict: str, alarms: list[int]
) -> None:
    raised: list[int] = []
    auditor = SafetyAuditor(FIRST, SimpleNamespace(run=lambda claim, seed: rows))  # type: ignore[arg-type]
    auditor.alarm = lambda level, reason: raised.append(level)
    assert Review.opened(auditor.review(CLAIM, {}), FIRST.public).verdict == verdict
    assert raised == alarms


def test_the_rate_auditor_judges_by_the_exam_auditors_outcomes() -> None:
    recorded: list[Any] = []

    class Pace:
        waits = False
        bound = 0.5

        def review(self, items: Sequence[Any], now_s: float) -> Any:
            return SimpleNamespace(
                waits=self.waits, bound=self.bound, reason=f"{len(items)} items at {now_s:g} s"
            )

        def record(self, report: Any, now_s: float) -> None:
            recorded.append(report)

    sits, pace = Sits((ITEM, ITEM)), Pace()
    shared = OneSitting(sits, patience=5.0)
    rate = RateAuditor(SECOND, pace, shared, SimClock())
    exam = ExamAuditor(FIRST, shared, Rules("certify"))
    found = docket()
    ask([rate, exam], found, EVIDENCE, 10.0)
    assert hows(found) == ["approve", "approve"] or sorted(hows(found)) == ["approve", "approve"]
    assert len(sits.seeds) == 1
    rate.certified(CLAIM)
    assert recorded[0].reason == "2 items at 1 s"
    pace.waits = True
    raised: list[int] = []
    rate.alarm = lambda level, reason: raised.append(level)

    def verdict() -> str:
        return Review.opened(rate.review(CLAIM, {}), SECOND.public).verdict

    assert (verdict(), raised) == ("refuse", [HOLD])
    assert (verdict(), raised) == ("refuse", [HOLD, HOLD])  # nobody has allowed it
    rate.released()
    assert verdict() == "approve"  # what the human was shown
    rate.certified(CLAIM)
    assert verdict() == "refuse"  # once
    rate.released()
    pace.bound = 0.6
    assert verdict() == "refuse"  # and no more than was shown
    alone = RateAuditor(SECOND, pace, OneSitting(sits, patience=0.01), SimClock())
    assert Review.opened(alone.review(CLAIM, {}), SECOND.public).reasons == (
        "there are no outcomes to tell the gain by",
    )


# ── the overseer ─────────────────────────────────────────────────────────────────────────────────────────


def overseer(w: World, *auditors: Auditor, patience: float = 5.0) -> Overseer:
    return Overseer(lambda: w.alive, auditors, patience)


def claim_of(w: World, weights: int = 0) -> tuple[Signed, Signed]:
    held = w.grant()
    assert held is not None
    blob = w.blobs[weights]
    claim = Claim(
        run=RUN, charter=CHARTER, lease=held.signed.digest, candidate=blob, blob=blob, parent=held.lease.parent,
        epoch=held.lease.epoch, generation=held.lease.generation,
    )  # fmt: skip
    return claim.sign(KEYS["trainer/trainer"]), held.signed


def test_auditors_of_this_process_and_one_elsewhere_make_a_quorum() -> None:
    w = World()
    here = overseer(w, Says(KEYS["auditor/honest"], approve("fine")), patience=20.0)
    claimed, leased = claim_of(w)
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(here.claim(claimed, leased, {"a": 1})))
    thread.start()
    while not here.pending:
        time.sleep(0.01)
    (pending,) = here.pending.values()
    with pytest.raises(BrakedError, match="being reviewed already"):
        here.claim(claimed, leased, {"a": 1})
    assert (
        here.receive(sign_opinion(KEYS["auditor/corrupt"], pending.docket.claim, {"a": 2}, approve())).how
        == "of another"
    )
    human = sign_opinion(KEYS["auditor/corrupt"], pending.docket.claim, {"a": 1}, approve("looked at it"))
    assert here.receive(human).how == "approve"
    thread.join(20)
    assert found[0].countersigned.body["candidate"] == w.blobs[0]
    size = len(w.log.leaves)
    assert here.receive(human).how == "late"
    assert len(w.log.leaves) == size + 1  # which is on the record
    with pytest.raises(OversightError, match="is pending"):
        here.receive(sign_opinion(KEYS["auditor/corrupt"], CLAIM, {}, approve()))
    with pytest.raises(OversightError, match="no signed review"):
        here.receive("yes")
    here.close()


def test_the_exams_worker_is_started_beside_the_first_generation() -> None:
    w, sits = World(), Sits()
    here = overseer(w, ExamAuditor(KEYS["auditor/honest"], sits, Rules("certify")))
    for trip, warmed in ((0, False), (1, True)):
        request = LeaseRequest(
            run=RUN, charter=CHARTER, trip=trip, champion=w.trust.start, previous="", takeover=True, nonce="n"
        )
        here.lease(request.sign(KEYS["trainer/trainer"]))
        assert getattr(sits, "warmed", False) is warmed
    here.close()


def test_an_auditor_that_says_nothing_has_not_approved() -> None:
    w = World()
    here = overseer(w, Says(KEYS["auditor/honest"], approve()), patience=0.3)
    with pytest.raises(BrakedError, match="1 auditors approve, and 2 are needed"):
        here.claim(*claim_of(w), {})
    here.close()


def test_setting_the_brake_waits_for_no_auditor() -> None:
    w = World()
    here = overseer(
        w, Says(KEYS["auditor/honest"], approve(), after=1.0), Says(KEYS["auditor/corrupt"], approve())
    )
    claimed, leased = claim_of(w)
    found: list[Any] = []

    def claim() -> None:
        try:
            found.append(here.claim(claimed, leased, {}))
        except BrakedError as error:
            found.append(error)

    thread = threading.Thread(target=claim)
    thread.start()
    while not here.pending:
        time.sleep(0.01)
    here.raise_to(HOLD, "in the middle", "human")
    thread.join(20)
    assert isinstance(found[0], BrakedError)
    assert "in the middle" in str(found[0])
    here.close()


def test_an_alarm_of_an_auditor_raises_the_brake() -> None:
    w = World()
    exam = ExamAuditor(KEYS["auditor/honest"], Sits(), Rules("roll back"))
    here = overseer(w, exam, Says(KEYS["auditor/corrupt"], approve()))
    with pytest.raises(BrakedError):
        here.claim(*claim_of(w), {})
    assert (here.status()["level"], here.status()["reason"]) == (QUARANTINE, "on 1 items")
    here.close()


def test_what_the_brake_would_refuse_is_shown_to_nobody() -> None:
    w = World()
    sits = Sits()
    here = overseer(w, ExamAuditor(KEYS["auditor/honest"], sits, Rules("certify")))
    claimed, leased = claim_of(w)
    w.grant()
    size = len(w.log.leaves)
    with pytest.raises(BrakedError, match="epoch 2 is in force"):
        here.claim(claimed, leased, {})
    assert sits.seeds == []
    assert len(w.log.leaves) == size + 1  # the refusal is on the record
    with pytest.raises(OversightError):
        here.claim(replace(claimed, signature=b"x"), leased, {})
    assert len(w.log.leaves) == size + 1  # of what the trainer did not sign nothing is
    here.close()
