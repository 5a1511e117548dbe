"""The brake's real code on a simulated machine: what it refuses, and what it survives."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from autotelic.errors import AutotelicError, BrakedError, OversightError
from autotelic.oversee.bodies import HOLD, QUARANTINE, SLOW, STOP, Claim, Founding, Order, Review
from autotelic.oversee.brake import Brake
from autotelic.oversee.guard import EVERY, Guard
from autotelic.oversee.keys import PrivateKey
from autotelic.oversee.permits import Certificate, Trust, check_certificate, check_use
from autotelic.oversee.signed import Signed
from bench.protocol.observer import CHARTER, KEYS, LIFE, RUN
from bench.protocol.simulated import Died
from bench.protocol.world import World


@pytest.fixture
def w() -> World:
    return World()


def brake(w: World) -> Brake:
    assert w.brake is not None
    return w.brake


def champion(w: World) -> str:
    return brake(w).state.champion.candidate


# ── leases ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lease_says_what_it_allows(w: World) -> None:
    lease = w.guards[0].begin(7, w.trust.start)
    assert (lease.run, lease.charter, lease.trip, lease.parent) == (RUN, CHARTER, 7, w.trust.start)
    assert (lease.expires - lease.granted, lease.steps, lease.tokens) == (LIFE, 50, 5_000)
    assert lease.boot == w.clock.boot()
    assert lease.checkpoint.startswith("simulated\n1\n")


def test_a_guard_stops_at_the_end_of_its_lease_and_at_its_ceilings(w: World) -> None:
    guard = w.guards[0]
    with pytest.raises(BrakedError, match="no lease"):
        guard.step(1)
    guard.begin(1, w.trust.start)
    with pytest.raises(BrakedError, match="allows 5000 tokens"):
        guard.step(5_001)
    for _ in range(50):
        guard.step(1)
    with pytest.raises(BrakedError, match="allows 50 steps"):
        guard.step(1)
    guard.begin(2, w.trust.start)
    w.clock.milliseconds += LIFE + 1
    with pytest.raises(BrakedError, match="expired"):
        guard.step(1)


def test_a_slow_brake_gives_smaller_leases(w: World) -> None:
    brake(w).raise_to(SLOW, "drift", "alarm")
    lease = w.guards[0].begin(1, w.trust.start)
    assert (lease.steps, lease.tokens, lease.level) == (12, 1_250, SLOW)


def test_a_hold_lets_train_and_certifies_nothing(w: World) -> None:
    brake(w).raise_to(HOLD, "drift", "alarm")
    w.grant()
    w.review(0)
    with pytest.raises(BrakedError, match=r"at 2 \(hold\), so there is no certificate: drift"):
        w.alive.certify(*claimed(w, 0), w.reviews)


@pytest.mark.parametrize("level", [STOP, QUARANTINE])
def test_a_stop_takes_the_lease_away_within_a_beat(w: World, level: int) -> None:
    guard = w.guards[0]
    guard.begin(1, w.trust.start)
    guard.step(1)
    brake(w).raise_to(level, "because", "human")
    guard.step(1)  # the one in flight
    w.clock.milliseconds += EVERY
    with pytest.raises(BrakedError, match="because"):
        guard.step(1)
    with pytest.raises(BrakedError, match="there is no lease"):
        guard.begin(2, w.trust.start)


def test_a_second_trainer_is_refused_and_a_takeover_ends_the_first(w: World) -> None:
    first, second = w.guards
    first.begin(1, w.trust.start)
    with pytest.raises(BrakedError, match="another trainer holds a lease"):
        second.begin(1, w.trust.start)
    second.begin(1, w.trust.start, takeover=True)
    w.clock.milliseconds += EVERY
    second.step(1)
    with pytest.raises(BrakedError, match="epoch 2 is in force"):
        first.step(1)


def test_two_trainers_with_one_lease_are_found_by_their_beats(w: World) -> None:
    first = w.guards[0]
    first.begin(1, w.trust.start)
    copy = Guard(first.key, first.trust, w, w.clock, w.reader)
    copy.signed, copy.lease, copy._until, copy._boot = first.signed, first.lease, first._until, first._boot
    first.beat()
    with pytest.raises(BrakedError, match="two trainers share a lease"):
        copy.beat()
    with pytest.raises(BrakedError, match="two trainers share a lease"):
        first.beat()
    assert brake(w).state.level == STOP


def test_an_old_beat_does_not_keep_a_lease_alive(w: World) -> None:
    w.guards[0].begin(1, w.trust.start)
    old = signed_beat(w, "n")
    w.beat(old)
    w.beat(old)
    assert brake(w).state.level == STOP


def test_after_a_quarantine_the_working_weights_are_given_up_once(w: World) -> None:
    guard = w.guards[0]
    assert not guard.begin(1, w.trust.start).clean
    brake(w).raise_to(QUARANTINE, "canary", "alarm")
    w.kill()
    w.start()
    w.release(0, 2)
    lease = guard.begin(2, w.trust.start, takeover=True)
    assert (lease.clean, lease.parent) == (True, w.trust.start)
    assert not guard.begin(3, w.trust.start).clean


def test_a_silent_trainer_loses_its_lease_though_a_watch_is_alive(w: World) -> None:
    """Looking at the level or asking who is champion is no sign of life."""
    w.terms = replace(w.terms, ttl=10 * LIFE, silence=LIFE)
    w.kill()
    w.start()
    guard = w.guards[0]
    guard.begin(1, w.trust.start)
    for _ in range(3):
        w.clock.milliseconds += LIFE // 2
        w.attest("nonce")
    with pytest.raises(BrakedError, match="silent"):
        guard.step(1)


def test_beats_keep_a_lease_and_say_what_was_used(w: World) -> None:
    w.terms = replace(w.terms, ttl=10 * LIFE, silence=LIFE)
    w.kill()
    w.start()
    guard = w.guards[0]
    guard.begin(1, w.trust.start)
    for _ in range(10):
        w.clock.milliseconds += LIFE // 2
        guard.step(1)
    guard.steps = 51  # a trainer whose guard does not count
    with pytest.raises(BrakedError, match="allows 50 steps"):
        guard.beat()
    assert brake(w).state.level == STOP


@pytest.mark.parametrize("shift", [-1, -500_000])
def test_a_clock_that_goes_back_breaks_the_brake(w: World, shift: int) -> None:
    w.grant()
    w.clock.milliseconds += shift
    with pytest.raises(BrakedError, match="clock went back"):
        w.guards[0].begin(2, w.trust.start)
    w.clock.milliseconds += 10_000_000
    with pytest.raises(BrakedError, match="clock went back"):
        w.attest("n")


def test_a_jump_of_the_wall_clock_changes_nothing(w: World) -> None:
    for offset in (-(10**10), 10**10):
        w.clock.offset = offset
        assert w.promote(0 if offset < 0 else 1) is not None


def test_an_old_lease_is_no_answer_to_a_new_request(w: World) -> None:
    first = w.guards[0]
    first.begin(1, w.trust.start)
    old = first.signed

    class Replaying:
        def __getattr__(self, name: str) -> Any:
            return (lambda asked: old) if name == "lease" else getattr(w, name)

    second = Guard(first.key, first.trust, Replaying(), w.clock, w.reader)
    with pytest.raises(BrakedError, match="an old one"):
        second.begin(1, w.trust.start)


def test_an_answer_to_another_beat_and_rubbish_stop_the_trainer(w: World) -> None:
    guard = w.guards[0]
    guard.begin(1, w.trust.start)
    old = w.beat(signed_beat(w, "old"))
    for answer in (old, "rubbish", None, w.attest("n")):
        guard.oversight = type("Lying", (), {"beat": lambda self, sent, answer=answer: answer})()
        with pytest.raises((BrakedError, OversightError, AttributeError)):
            guard.beat()


def signed_beat(w: World, nonce: str) -> Signed:
    from autotelic.oversee.bodies import Beat

    assert w.guards[0].signed is not None
    beat = Beat(run=RUN, lease=w.guards[0].signed.digest, count=1, steps=0, tokens=0, nonce=nonce)
    return beat.sign(KEYS["trainer/trainer"])


# ── claims ───────────────────────────────────────────────────────────────────────────────────────────────


def claimed(w: World, weights: int, **changes: Any) -> tuple[Signed, Signed]:
    held = w.held[-1]
    lease, blob = held.lease, w.blobs[weights]
    claim = Claim(
        run=RUN, charter=CHARTER, lease=held.signed.digest, candidate=blob, blob=blob, parent=lease.parent,
        epoch=lease.epoch, generation=lease.generation,
    )  # fmt: skip
    return replace(claim, **changes).sign(KEYS["trainer/trainer"]), held.signed


@pytest.mark.parametrize(
    "changes",
    [{"run": "other"}, {"charter": "sha256:other"}, {"lease": "sha256:other"}, {"parent": "sha256:other"},
     {"epoch": 2}, {"generation": 1}, {"candidate": "sha256:other"}, {"blob": "sha256:" + "0" * 64}],
)  # fmt: skip
def test_a_claim_that_differs_in_one_field_is_refused(w: World, changes: dict[str, Any]) -> None:
    w.grant()
    w.review(0)
    with pytest.raises(AutotelicError):
        w.alive.certify(*claimed(w, 0, **changes), w.corrupted(Claim.read(claimed(w, 0)[0].body)))
    assert champion(w) == w.trust.start
    assert w.certify(0) is not None  # and the same without the change is not


def test_an_approval_after_a_refusal_does_not_count_even_where_the_refusal_is_held_back(w: World) -> None:
    w.grant()
    w.review(0)
    (yes,) = w.reviews
    no = replace(Review.read(yes.body), verdict="refuse").sign(KEYS["auditor/honest"])
    claim = Claim.read(claimed(w, 0)[0].body)
    with pytest.raises(BrakedError, match="1 auditors approve, and 2 are needed"):
        w.alive.certify(*claimed(w, 0), [*w.corrupted(claim), no])
    with pytest.raises(BrakedError, match="honest refused"):
        w.alive.certify(*claimed(w, 0), w.corrupted(claim))
    w.kill()
    w.start()
    with pytest.raises(BrakedError, match="honest refused"):
        w.alive.certify(*claimed(w, 0), w.corrupted(claim))


def test_a_certificate_is_checked_in_every_part(w: World) -> None:
    certificate = w.promote(0)
    assert certificate is not None
    again = Certificate.parse(certificate.as_json())
    assert check_certificate(again, w.trust, w.reader).candidate == w.blobs[0]
    other = w.promote(1)
    assert other is not None
    for name in ("claim", "reviews", "countersigned", "index", "inclusion", "checkpoint", "cosignature"):
        mixed = replace(certificate, **{name: getattr(other, name)})
        with pytest.raises(OversightError):
            check_certificate(mixed, w.trust, w.reader)
    fewer = replace(certificate, reviews=certificate.reviews[:1])
    with pytest.raises(OversightError):
        check_certificate(fewer, w.trust, w.reader)


@pytest.mark.parametrize("value", [None, {}, [], 1, "x", {"claim": 1}])
def test_what_is_no_certificate_is_refused(w: World, value: Any) -> None:
    with pytest.raises(OversightError):
        Certificate.parse(value)


def test_the_door_takes_no_old_word_of_the_brake(w: World) -> None:
    certificate = w.promote(0)
    blob = w.blobs[0]
    old = w.attest("old")
    w.roll_back()
    for attested, nonce in ((old, "new"), (w.attest("new"), "new")):
        with pytest.raises(OversightError):
            check_use(blob, blob, "export", certificate, attested, nonce, w.trust, w.reader)


# ── the level ────────────────────────────────────────────────────────────────────────────────────────────


def order(w: World, level: int, **changes: Any) -> Order:
    return replace(Order(run=RUN, level=level, change=brake(w).state.changes, reason="fine"), **changes)


def test_automation_only_raises(w: World) -> None:
    brake(w).raise_to(HOLD, "a", "x")
    for level in (0, 1, 2):
        brake(w).raise_to(level, "b", "x")
        assert (brake(w).state.level, brake(w).state.reason) == (HOLD, "a")
    for level in (-1, 5):
        with pytest.raises(OversightError, match="no level"):
            brake(w).raise_to(level, "b", "x")


@pytest.mark.parametrize(("level", "needed"), [(SLOW, 1), (HOLD, 1), (STOP, 2), (QUARANTINE, 2)])
def test_lowering_needs_human_keys(w: World, level: int, needed: int) -> None:
    brake(w).raise_to(level, "why", "x")
    first, second = (KEYS[f"human/{name}"] for name in ("first", "second"))
    wanted = order(w, 0)
    for orders in ([], [wanted.sign(KEYS["auditor/honest"])], [wanted.sign(KEYS["brake/brake"])]):
        with pytest.raises(AutotelicError):
            brake(w).release(orders)
    for wrong in (order(w, 0, change=99), order(w, 0, run="other"), order(w, level), order(w, 9)):
        with pytest.raises(AutotelicError):
            brake(w).release([wrong.sign(first), wrong.sign(second)])
    if needed == 2:
        twice = [wanted.sign(first), replace(wanted, reason="again").sign(first)]
        for orders in ([wanted.sign(first)], twice, [wanted.sign(first), order(w, 1).sign(second)]):
            with pytest.raises(BrakedError):
                brake(w).release(orders)
    good = [wanted.sign(key) for key in (first, second)[:needed]]
    brake(w).release(good)
    assert brake(w).state.level == 0
    brake(w).raise_to(level, "again", "x")
    with pytest.raises(BrakedError, match="the order is for change"):
        brake(w).release(good)


def test_a_roll_back_goes_to_the_last_certified_weights(w: World) -> None:
    w.promote(0)
    w.promote(1)
    w.roll_back()
    assert (champion(w), brake(w).state.level) == (w.blobs[0], QUARANTINE)
    w.release(0, 2)
    assert w.promote(1) is None  # revoked is for ever
    w.roll_back()
    assert champion(w) == w.trust.start
    with pytest.raises(BrakedError, match="nothing to go back to"):
        brake(w).roll_back("x", "y")


# ── the disk, the ledger, the witness ────────────────────────────────────────────────────────────────────


def test_a_full_disk_breaks_the_brake_and_a_set_holds_all_the_same(w: World) -> None:
    w.grant()
    w.fill("disk", 1)
    with pytest.raises(BrakedError, match="cannot write its record"):
        brake(w).raise_to(STOP, "why", "x")
    assert brake(w).state.level == STOP
    for call in (
        lambda: w.attest("n"),
        lambda: w.guards[0].begin(2, w.trust.start),
        lambda: w.guards[0].beat(),
    ):
        with pytest.raises(BrakedError, match="No space left"):
            call()


@pytest.mark.parametrize("part", ["disk", "log", "witness"])
def test_no_certificate_where_something_cannot_be_written(w: World, part: str) -> None:
    w.grant()
    w.review(0)
    w.fill(part, 1)
    with pytest.raises(BrakedError):
        w.alive.certify(*claimed(w, 0), w.corrupted(Claim.read(claimed(w, 0)[0].body)))
    assert not w.certificates
    w.kill()
    w.start()
    if champion(w) == w.blobs[0]:  # it was decided and on the disk: it is handed out once it can be
        assert brake(w).finish().countersigned.body["candidate"] == w.blobs[0]
    else:
        assert w.promote(0) is not None


@pytest.mark.parametrize("part", ["disk", "log", "witness"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_at_any_write_of_a_promotion_leaves_one_champion(w: World, part: str, when: Any) -> None:
    w.grant()
    w.review(0)
    w.review(1)
    w.plan(part, when)
    with pytest.raises(Died):
        w.alive.certify(*claimed(w, 0), w.corrupted(Claim.read(claimed(w, 0)[0].body)))
    w.kill()
    w.start()
    decided = champion(w) == w.blobs[0]
    other = claimed(w, 1)
    if decided:
        with pytest.raises(BrakedError):
            w.alive.certify(*other, w.corrupted(Claim.read(other[0].body)))
        assert set(w.certificates) <= {0}
    else:
        assert w.certify(1) is not None
    assert len({c.countersigned.body["candidate"] for c in w.certificates.values()}) <= 1


def test_a_promised_certificate_is_not_handed_out_while_the_brake_is_set(w: World) -> None:
    w.grant()
    w.review(0)
    w.plan("witness", "before")
    w.certify(0)
    w.start()
    brake(w).raise_to(HOLD, "why", "x")
    with pytest.raises(BrakedError, match="hold"):
        brake(w).finish()
    assert w.attest("n").body["champion"] == w.trust.start
    w.release(0, 1)
    assert brake(w).finish().countersigned.body["candidate"] == w.blobs[0]


def test_a_resume_takes_the_brakes_champion_and_says_so(w: World) -> None:
    w.promote(0)
    w.kill()
    w.start()
    guard = w.guards[1]
    with pytest.raises(BrakedError, match="resume the run"):
        guard.begin(1, w.trust.start)
    size = len(w.log.leaves)
    lease = guard.begin(1, w.trust.start, takeover=True)
    assert lease.parent == w.blobs[0]
    assert len(w.log.leaves) == size + 2  # `superseded by resume`, and the lease


@pytest.mark.parametrize("size", [0, 1, 2])
def test_a_ledger_that_was_cut_short_is_found_at_the_start(w: World, size: int) -> None:
    w.promote(0)
    w.kill()
    w.log.leaves = w.log.leaves[:size]
    w.start()
    assert w.brake is None
    with pytest.raises(OversightError, match="cut short"):
        reopened(w)


def reopened(
    w: World, key: PrivateKey = KEYS["brake/brake"], run: str = RUN, charter: str = CHARTER
) -> Brake:
    return Brake.open(key, run, charter, w._parts())


def test_a_state_that_is_older_than_its_ledger_is_found_at_the_start(w: World) -> None:
    old = dict(w.disk.files)
    w.promote(0)
    w.disk.files = old
    with pytest.raises(OversightError, match="older than its ledger"):
        reopened(w)


def test_a_rewritten_ledger_of_the_same_size_is_found_by_the_witness(w: World) -> None:
    w.promote(0)
    w.log.leaves[-1] = hashlib.sha256(b"another").digest()
    with pytest.raises(BrakedError, match="does not cosign"):
        reopened(w)


def test_a_brake_is_not_founded_over_another(w: World) -> None:
    w.promote(0)
    founding = Founding.read({**brake(w).founding.body})
    with pytest.raises(OversightError, match="whose state is gone"):
        Brake.found(KEYS["brake/brake"], founding, w._parts())
    w.log.leaves = []
    with pytest.raises(OversightError, match="a brake already"):
        Brake.found(KEYS["brake/brake"], founding, w._parts())
    w.disk.files = {}
    with pytest.raises(BrakedError, match="does not cosign"):  # the witness remembers
        Brake.found(KEYS["brake/brake"], founding, w._parts())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"key": PrivateKey("brake", "brake", b"x" * 32)}, "may sign it"),
        ({"run": "run-2"}, "not of run-2"),
        ({"charter": "sha256:edited"}, "put the charter back"),
    ],
)
def test_a_run_does_not_go_on_under_another_brake_or_charter(w: World, changes: Any, message: str) -> None:
    w.promote(0)
    with pytest.raises(OversightError, match=message):
        reopened(w, **changes)


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"\xff", b'{"a":1,"a":2}'])
def test_a_damaged_state_is_refused(w: World, content: bytes) -> None:
    w.disk.files["brake.json"] = content
    with pytest.raises(OversightError, match="cannot be relied on"):
        reopened(w)


# ── whom a run believes ──────────────────────────────────────────────────────────────────────────────────


def test_a_founding_that_makes_no_sense_is_refused(w: World) -> None:
    brake_key = KEYS["brake/brake"]
    good = Founding.read({**brake(w).founding.body})
    same = PrivateKey("auditor", "third", b"trainer-trainer".ljust(32, b"."))
    for changes, message in (
        ({"quorum": 0}, "a quorum of 0"),
        ({"quorum": 3}, "a quorum of 3"),
        ({"keys": (*good.keys, str(same.public))}, "share one key"),
        ({"keys": (*good.keys, str(brake_key.public))}, "share one key"),
        ({"keys": (*good.keys, str(PrivateKey("auditor", "honest", b"x" * 32).public))}, "one role and name"),
        ({"keys": ("rubbish",)}, "no public key"),
    ):
        with pytest.raises(OversightError, match=message):
            Trust.of(replace(good, **changes).sign(brake_key), brake_key.public)  # type: ignore[arg-type]
    with pytest.raises(OversightError, match="may sign it"):
        Trust.of(good.sign(KEYS["trainer/trainer"]), brake_key.public)
