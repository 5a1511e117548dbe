"""The permit protocol: its model, searched; its real code, with every check left out once; random faults."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest

from autotelic.canonical import canonical
from autotelic.errors import AutotelicError
from autotelic.oversee import claims, guard, leasing, permits
from autotelic.oversee.bodies import HOLD, Certified, Claim, Lease, Review
from autotelic.oversee.brake import Brake, certificate_name
from autotelic.oversee.ledgered import BrakeState, StateFile
from autotelic.oversee.permits import Certificate, Trust
from autotelic.oversee.signed import Signed
from bench.protocol import schedules
from bench.protocol.model import Model
from bench.protocol.mutants import MUTANTS, REDUNDANT, SMALL, Mutant
from bench.protocol.observer import CONTENTS, EVIL, KEYS, LIFE, UnsafeError
from bench.protocol.search import search
from bench.protocol.simulated import SimWitness
from bench.protocol.world import World

Patch = pytest.MonkeyPatch

# ── the model ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_protocol_breaks_nothing_in_a_small_model() -> None:
    found = search(Model(SMALL), traces=False)
    assert found.whole
    assert found.states > 10_000
    assert found.traces == {}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: f"{mutant.number}")
def test_each_mutant_breaks_its_invariant_in_the_model(mutant: Mutant) -> None:
    assert mutant.breaks in mutant.search().traces
    control = mutant.control()
    assert control.whole
    assert control.traces == {}


@pytest.mark.parametrize("check", REDUNDANT)
def test_what_others_make_up_for_breaks_nothing_alone(check: str) -> None:
    found = search(Model(SMALL, frozenset({check})), traces=False)
    assert found.whole
    assert found.traces == {}


def test_there_are_29_mutants() -> None:
    assert [mutant.number for mutant in MUTANTS] == list(range(1, 30))


# ── the real code: each check left out once ──────────────────────────────────────────────────────────────
#
# A scenario does what the thief does. With the check it is refused; without it the observer cries out.


def no(*given: Any, **named: Any) -> None:
    """A check that checks nothing."""


def older_lease(w: World) -> None:
    w.grant(0)
    w.grant(1)
    w.review(0, at=0)
    w.certify(0, at=0, epoch=w.held[0].lease.epoch)


def without_fence(p: Patch) -> None:
    p.setattr(claims, "check_fence", no)


def expired_lease(w: World) -> None:
    w.grant()
    w.review(0)
    w.clock.milliseconds += LIFE + 1
    w.certify(0)


def without_expiry(p: Patch) -> None:
    p.setattr(Brake, "_check_expiry", no)


def wall_clock_back(w: World) -> None:
    w.grant()
    w.review(0)
    w.clock.milliseconds += LIFE + 1
    w.clock.offset -= 3_600_000
    w.certify(0)


def by_wall_clock(p: Patch) -> None:
    def check(lease: Lease, clock: Any) -> None:
        if clock.wall() * 1000 > lease.expires:
            raise AutotelicError("expired")

    p.setattr(permits, "check_time", check)
    p.setattr(leasing, "check_time", check)


def machine_started_again(w: World) -> None:
    w.clock.milliseconds = 10_000
    w.grant()
    w.review(0)
    w.clock.reboot()
    w.clock.milliseconds = 10_001
    w.kill()
    w.start()
    w.certify(0)


def without_boot(p: Patch) -> None:
    def check(lease: Lease, clock: Any) -> None:
        if not lease.granted <= clock.now() <= lease.expires:
            raise AutotelicError("expired")

    p.setattr(permits, "check_time", check)
    p.setattr(leasing, "check_time", check)


def hold_in_between(w: World) -> None:
    w.grant()
    w.review(0)
    w.set_level(HOLD)
    w.certify(0)


def level_only_at_grants(p: Patch) -> None:
    real = Brake._check_level
    p.setattr(Brake, "_check_level", lambda s, most, what: real(s, most, what) if what == "lease" else None)


def killed_after_hold(w: World) -> None:
    w.grant()
    w.review(0)
    w.set_level(HOLD)
    w.kill()
    w.start()
    w.certify(0)


def saving(p: Patch, change: Callable[[StateFile, BrakeState], BrakeState]) -> None:
    """Another state goes to the disk than the brake has in memory."""
    real = StateFile.save

    def save(self: StateFile, state: BrakeState, leaves: Sequence[Any]) -> BrakeState:
        written = real(self, change(self, state), leaves)
        return replace(state, size=written.size, owed=written.owed)

    p.setattr(StateFile, "save", save)


def level_not_on_disk(p: Patch) -> None:
    saving(p, lambda file, state: replace(state, level=0))


def killed_between_grants(w: World) -> None:
    w.grant(0)
    w.kill()
    w.start()
    w.grant(1)
    w.review(0, at=0)
    w.certify(0, at=0)


def epoch_not_on_disk(p: Patch) -> None:
    saving(p, lambda file, state: replace(state, epoch=0))


def dies_at_its_disk(w: World) -> None:
    w.grant()
    w.review(0)
    w.review(1)
    w.plan("disk", "before")
    w.certify(0)
    w.start()
    w.certify(1)


def signs_first(p: Patch) -> None:
    """The certificate is signed and out before the state is on the disk."""
    real = Brake._promote

    def promote(
        self: Brake, body: Certified, claimed: Signed, reviews: tuple[Signed, ...], lease: Lease
    ) -> Any:
        out = signed_by_the_brake(body, claimed, reviews, "")
        self.file.disk.files[certificate_name(body.generation)] = canonical(out.as_json()).encode()  # type: ignore[attr-defined]
        return real(self, body, claimed, reviews, lease)

    p.setattr(Brake, "_promote", promote)


def signed_by_the_brake(
    body: Certified, claimed: Signed, reviews: tuple[Signed, ...], checkpoint: str
) -> Certificate:
    """A certificate with the brake's countersignature and nothing of the witness."""
    return Certificate(
        claim=claimed,
        reviews=reviews,
        countersigned=body.sign(KEYS["brake/brake"]),
        index=0,
        inclusion=(),
        checkpoint=checkpoint,
        cosignature="",
    )


def a_b_a(w: World) -> None:
    w.promote(0)
    w.roll_back()
    w.release(0, 2)
    w.grant()
    w.review(1)
    w.certify(1)


def generation_goes_back(p: Patch) -> None:
    real = Brake.roll_back

    def roll_back(self: Brake, reason: str, by: str) -> Signed:
        before, signed = self.state.generation, real(self, reason, by)
        self._commit(replace(self.state, generation=before - 1))
        return signed

    p.setattr(Brake, "roll_back", roll_back)


def automation_lowers(w: World) -> None:
    w.set_level(HOLD)
    w.set_level(0)


def anybody_lowers(p: Patch) -> None:
    def raise_to(self: Brake, level: int, reason: str, by: str) -> None:
        self._commit(replace(self.state, level=level))

    p.setattr(Brake, "raise_to", raise_to)


def without_a_brake(w: World) -> None:
    """The trainer signs in place of the brake, once that is dead."""
    certificate = w.promote(0)
    assert certificate is not None
    w.kill()
    trainer = KEYS["trainer/trainer"]
    blob = w.store.put(b"uncertified|config")
    w.blobs.append(blob)
    about = {"candidate": blob, "blob": blob}
    claim = replace(Claim.read(certificate.claim.body), **about).sign(trainer)
    body = replace(Certified.read(certificate.countersigned.body), claim=claim.digest, reviews=(), **about)
    forged = replace(certificate, claim=claim, reviews=(), countersigned=body.sign(trainer))
    w.open(3, "export", forged, w.attested[0][1] if w.attested else body.sign(trainer), "nonce")


def fails_open(p: Patch) -> None:
    p.setattr(permits, "check_certificate", lambda c, trust, reader: Certified.read(c.countersigned.body))
    p.setattr(
        permits,
        "check_attestation",
        lambda a, nonce, trust: permits.Attestation(
            run="", champion="", generation=0, level=0, revoked=(), nonce=""
        ),
    )


def swapped_after_the_exam(w: World) -> None:
    """Good weights were approved, and evil ones are claimed."""
    w.grant()
    w.review(0)
    w.certify(EVIL)


def not_bound_to_the_digest(p: Patch) -> None:
    p.setattr(
        Review,
        "is_about",
        lambda r, c: (r.parent, r.epoch, r.generation) == (c.parent, c.epoch, c.generation),
    )


def approval_of_yesterday(w: World) -> None:
    w.grant()
    w.review(0)
    w.grant()
    w.certify(0)


def not_bound_to_the_place(p: Patch) -> None:
    p.setattr(Review, "is_about", lambda r, c: (r.candidate, r.blob) == (c.candidate, c.blob))


def nobody_honest(w: World) -> None:
    w.grant()
    w.certify(EVIL)


def one_counted_twice(p: Patch) -> None:
    real = permits.approving

    def approving(reviews: Sequence[Signed], claim: Claim, trust: Trust) -> dict[str, Signed]:
        return {s.digest: s for one in reviews for s in real([one], claim, trust).values()}

    p.setattr(claims, "approving", approving)


def any_role(p: Patch) -> None:
    p.setattr(Trust, "of_role", lambda self, role: self.keys)


def silence_is_yes(p: Patch) -> None:
    real = permits.approving

    def approving(reviews: Sequence[Signed], claim: Claim, trust: Trust) -> dict[str, Signed]:
        found = real(reviews, claim, trust)
        return {key.name: next(iter(found.values())) for key in trust.of_role("auditor")}

    p.setattr(claims, "approving", approving)


def no_quorum(p: Patch) -> None:
    p.setattr(claims, "check_quorum", lambda *given: ())


def edited_charter(w: World) -> None:
    w.edit_charter()
    w.kill()
    w.start()
    w.grant()


def charter_from_the_folder(p: Patch) -> None:
    real = StateFile.load

    def load(self: StateFile) -> BrakeState | None:
        found = real(self)
        return None if found is None else replace(found, charter="sha256:edited")

    p.setattr(StateFile, "load", load)


def swapped_before_loading(w: World) -> None:
    assert w.promote(0) is not None
    w.swap(0)
    w.load(0)


def believes_the_manifest(p: Patch) -> None:
    genuine = "sha256:" + hashlib.sha256(CONTENTS[0]).hexdigest()
    p.setattr(permits, "sha256_of", lambda content: genuine)


def swapped_while_loading(w: World) -> None:
    """The bytes change between the first and the second time that they are read."""
    assert w.promote(0) is not None

    class Changing(dict[str, bytes]):
        reads = 0

        def __getitem__(self, key: str) -> bytes:
            self.reads += 1
            return CONTENTS[0] if self.reads == 1 else CONTENTS[EVIL]

    w.store.blobs = Changing(w.store.blobs)
    w.load(0)


def opens_again(p: Patch) -> None:
    def open_certified(read: Callable[[], bytes], ref: str, *rest: Any) -> bytes:
        permits.check_use(ref, permits.sha256_of(read()), *rest)
        return read()

    p.setattr(permits, "open_certified", open_certified)


def same_tensors(w: World) -> None:
    """Other weights whose short digest is that of the good ones: here, whose tensors alone are equal."""
    assert w.promote(0) is not None
    w.store.blobs[w.blobs[0]] = b"good weights|another config"
    w.load(0)


def tensors_only(p: Patch) -> None:
    real = {content.split(b"|")[0]: permits.sha256_of(content) for content in CONTENTS}
    p.setattr(permits, "sha256_of", lambda content: real[content.split(b"|")[0]])


def revoked_champion(w: World) -> None:
    w.promote(0)
    w.roll_back()
    w.load(0)


def does_not_ask_what_is_new(p: Patch) -> None:
    p.setattr(permits, "check_use", _check_use_of_old)


def _check_use_of_old(ref: str, blob: str, use: Any, certificate: Any, attested: Any, *rest: Any) -> None:
    _, trust, reader = rest
    body = permits.check_certificate(certificate, trust, reader)
    if (body.candidate, body.blob) != (ref, blob):
        raise AutotelicError("others")


def uncosigned(w: World) -> None:
    """The brake has signed, and the witness died before it did."""
    w.grant()
    w.review(0)
    attested = w.attest("n")
    w.plan("witness", "before")
    w.certify(0)
    promised = w.durable()["promised"]
    body, claimed = Certified.read(promised["body"]), Signed.parse(promised["claim"])
    reviews = tuple(map(Signed.parse, promised["reviews"]))
    out = signed_by_the_brake(body, claimed, reviews, w.log.head().checkpoint)
    w.certificates[0] = out
    w.open(0, "export", out, attested, "n")


def no_cosignature(p: Patch) -> None:
    p.setattr(permits, "check_witnessed", no)


def ledger_restored(w: World) -> None:
    w.promote(0)
    w.log.leaves = w.log.leaves[:2]
    assert w.brake is not None
    w.brake.state = replace(w.brake.state, size=2, owed=())
    w.promote(1)


def no_consistency(p: Patch) -> None:
    p.setattr(SimWitness, "check", False)


def witness_dies(w: World) -> None:
    w.grant()
    w.review(0)
    w.plan("witness", "before")
    w.certify(0)
    w.log.leaves = w.log.leaves[:-1]
    w.log.append([{"kind": "another history"}])
    w.start()
    w.attempt("finish", lambda: w.alive.finish())


def witness_signs_first(p: Patch) -> None:
    p.setattr(SimWitness, "keep_first", False)


def step_after_the_lease(w: World) -> None:
    w.grant()
    w.step()
    w.clock.milliseconds += LIFE + 1
    w.step()


def unchecked_step(p: Patch) -> None:
    p.setattr(guard.Guard, "_check", no)


def same_lease_twice(w: World) -> None:
    w.grant()
    w.review(0)
    w.review(1)
    w.certify(0)
    w.certify(1)


def no_swap_and_no_single_use(p: Patch) -> None:
    for name in ("check_succession", "check_unused", "check_new"):
        p.setattr(claims, name, no)


def lease_from_before_the_roll_back(w: World) -> None:
    w.promote(0)
    w.grant()
    w.review(1)
    w.roll_back()
    w.release(0, 2)
    w.certify(1)


def roll_back_bumps_nothing(p: Patch) -> None:
    real = Brake.roll_back

    def roll_back(self: Brake, reason: str, by: str) -> Signed:
        before, signed = self.state.epoch, real(self, reason, by)
        self._commit(replace(self.state, epoch=before))
        return signed

    p.setattr(Brake, "roll_back", roll_back)
    p.setattr(claims, "check_succession", no)


REAL: tuple[tuple[int, str, Callable[[World], None], Callable[[Patch], None]], ...] = (
    (1, "I5", older_lease, without_fence),
    (2, "I5", expired_lease, without_expiry),
    (3, "I5", wall_clock_back, by_wall_clock),
    (4, "I5", machine_started_again, without_boot),
    (5, "I4", hold_in_between, level_only_at_grants),
    (6, "I4", killed_after_hold, level_not_on_disk),
    (7, "I5", killed_between_grants, epoch_not_on_disk),
    (8, "I3", dies_at_its_disk, signs_first),
    (9, "I3", a_b_a, generation_goes_back),
    (10, "I4", automation_lowers, anybody_lowers),
    (11, "I1", without_a_brake, fails_open),
    (12, "I2", swapped_after_the_exam, not_bound_to_the_digest),
    (13, "I2", approval_of_yesterday, not_bound_to_the_place),
    (14, "I2", nobody_honest, one_counted_twice),
    (15, "I2", nobody_honest, any_role),
    (16, "I2", nobody_honest, silence_is_yes),
    (17, "I2", nobody_honest, no_quorum),
    (18, "I8", edited_charter, charter_from_the_folder),
    (19, "I1", swapped_before_loading, believes_the_manifest),
    (20, "I1", swapped_while_loading, opens_again),
    (21, "I1", same_tensors, tensors_only),
    (22, "I9", revoked_champion, does_not_ask_what_is_new),
    (23, "I7", uncosigned, no_cosignature),
    (24, "I7", ledger_restored, no_consistency),
    (25, "I7", witness_dies, witness_signs_first),
    (27, "I10", step_after_the_lease, unchecked_step),
    (28, "I6", same_lease_twice, no_swap_and_no_single_use),
    (29, "I5", lease_from_before_the_roll_back, roll_back_bumps_nothing),
)


QUIET = (9, 10, 20)
"""Nothing is refused there: the right code does the right thing instead."""


def play(scenario: Callable[[World], None]) -> World:
    world = World()
    with suppress(AutotelicError):
        scenario(world)
    return world


@pytest.mark.parametrize(("number", "breaks", "scenario", "mutate"), REAL, ids=[str(row[0]) for row in REAL])
def test_the_real_code_refuses_what_its_mutant_lets_through(
    number: int,
    breaks: str,
    scenario: Callable[[World], None],
    mutate: Callable[[Patch], None],
    monkeypatch: Patch,
) -> None:
    world = play(scenario)
    refusals = [name for name in world.done if "refused" in name or "died" in name]
    assert refusals or number in QUIET
    mutate(monkeypatch)
    with pytest.raises(UnsafeError) as caught:
        scenario(World())
    assert breaks in caught.value.invariants


def test_every_mutant_is_tried_on_the_real_code_but_the_second_door() -> None:
    """Which `tests/weights/test_one_door.py` is about."""
    assert {row[0] for row in REAL} == set(range(1, 30)) - {26}


# ── random schedules ─────────────────────────────────────────────────────────────────────────────────────


def test_no_random_schedule_of_faults_certifies_what_is_unsafe() -> None:
    # What shows that the schedules get somewhere. They are random: a rare thing may take a second hundred of them.
    wanted = {
        "certificates",
        "certify: refused",
        "load",
        "load: refused",
        "roll back",
        "step",
        "lease: died",
    }
    missing = set(wanted)
    for _ in range(6):
        missing -= {name for name, times in schedules.run(120, 30).items() if times}
        if not missing:
            break
    assert not missing
