"""The trainer's side of oversight: it takes no step that the brake does not allow.

    guard.begin(trip, champion)     a lease for one generation
    guard.step(tokens)              before each optimiser step
    guard.check()                   between stages
    guard.claim(candidate, blob)    a certificate, or BrakedError

A brake that is set, silent, replaced or unreachable stops the trainer: each of these raises BrakedError. The beats
are sent by the thread that trains, in `step` and `check`: a trainer that hangs is silent.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeVar

from autotelic.errors import AutotelicError, BrakedError
from autotelic.oversee.bodies import LEVELS, STOP, Beat, Claim, Lease, LeaseRequest, Pulse
from autotelic.oversee.keys import PrivateKey
from autotelic.oversee.permits import Certificate, Trust, check_ceiling, check_certificate, check_lease
from autotelic.oversee.protocols import BootClock, LogReader
from autotelic.oversee.signed import Signed

T = TypeVar("T")
EVERY = 250
"""Milliseconds after which the brake is asked again. A beat costs about one. The brake acts within five seconds."""


class Oversight(Protocol):
    """What a trainer and a door ask of the other side: the brake with its auditors, here or elsewhere."""

    def lease(self, asked: Signed) -> Signed: ...
    def beat(self, sent: Signed) -> Signed: ...
    def claim(self, claimed: Signed, leased: Signed, evidence: Mapping[str, Any]) -> Certificate: ...
    def attest(self, nonce: str) -> Signed: ...


class Guard:
    """One trainer under one brake. `clock` is that of the trainer's machine."""

    def __init__(
        self,
        key: PrivateKey,
        trust: Trust,
        oversight: Oversight,
        clock: BootClock,
        reader: LogReader,
        every: int = EVERY,
    ) -> None:
        self.key, self.trust, self.oversight = key, trust, oversight
        self.clock, self.reader, self.every = clock, reader, every
        self.signed: Signed | None = None
        self.lease: Lease | None = None
        self.steps = self.tokens = 0
        self._heard = self._until = self._beats = 0
        self._boot = ""

    def begin(self, trip: int, champion: str, *, takeover: bool = False) -> Lease:
        """A lease for the trainer's generation `trip`. With `takeover` the brake's champion may be another than
        the one that the trainer knows: `parent` of the lease is the one to go on from.
        """
        request = LeaseRequest(
            run=self.trust.run,
            charter=self.trust.charter,
            trip=trip,
            champion=champion,
            previous="" if self.signed is None else self.signed.digest,
            takeover=takeover,
            nonce=secrets.token_hex(16),
        )
        asked, boot = self.clock.now(), self.clock.boot()
        signed = self._asked(lambda: self.oversight.lease(request.sign(self.key)))
        lease = check_lease(signed, self.trust, request.nonce)
        if lease.trip != trip or (lease.parent != champion and not takeover):
            raise BrakedError("the brake's lease is for something else than was asked", "resume the run")
        # By the trainer's own clock, from before it asked: the brake may be on another machine.
        self._until, self._boot = asked + lease.expires - lease.granted, boot
        self.signed, self.lease = signed, lease
        self.steps = self.tokens = self._beats = 0
        self._heard = self.clock.now()
        return lease

    def step(self, tokens: int) -> None:
        """Call it before each optimiser step, with the tokens that the step trains on."""
        self._check(1, tokens)
        self.steps += 1
        self.tokens += tokens

    def check(self) -> None:
        """Call it wherever the trainer has worked for a while without a step."""
        self._check(0, 0)

    def _check(self, steps: int, tokens: int) -> None:
        if self.signed is None or self.lease is None:
            raise BrakedError("the trainer has no lease", "ask the brake for one before training")
        if self.clock.boot() != self._boot or self.clock.now() > self._until:
            raise BrakedError("the lease has expired", "ask for a new one at the next generation")
        check_ceiling(self.lease, self.steps + steps, self.tokens + tokens)
        if self.clock.now() - self._heard >= self.every:
            self.beat()

    def beat(self) -> Pulse:
        """Say what was used so far, and hear whether to go on."""
        if self.signed is None or self.lease is None:
            raise BrakedError("the trainer has no lease", "ask the brake for one before training")
        self._beats += 1
        sent = Beat(
            run=self.trust.run,
            lease=self.signed.digest,
            count=self._beats,
            steps=self.steps,
            tokens=self.tokens,
            nonce=secrets.token_hex(16),
        )
        answer = self._asked(lambda: self.oversight.beat(sent.sign(self.key)))
        pulse = Pulse.opened(answer, self.trust.brake)
        if (pulse.run, pulse.nonce) != (sent.run, sent.nonce):
            raise BrakedError("the brake's answer is to another beat", "resume the run")
        if pulse.level >= STOP:
            raise BrakedError(
                f"the brake was set to {pulse.level} ({LEVELS[pulse.level]}): {pulse.reason}",
                "`autotelic brake release` lowers it, then `autotelic resume` goes on",
            )
        if pulse.epoch != self.lease.epoch:
            raise BrakedError(
                f"epoch {pulse.epoch} is in force, and this lease is of {self.lease.epoch}",
                "another trainer has taken the run over, or the brake was started again: resume the run",
            )
        self._heard = self.clock.now()
        return pulse

    def claim(self, candidate: str, blob: str, evidence: Mapping[str, Any]) -> Certificate:
        """Ask for the candidate to be certified. Its bytes are stored already. Raises BrakedError for a no."""
        if self.signed is None or self.lease is None:
            raise BrakedError("the trainer has no lease", "ask the brake for one before training")
        claim = Claim(
            run=self.trust.run,
            charter=self.trust.charter,
            lease=self.signed.digest,
            candidate=candidate,
            blob=blob,
            parent=self.lease.parent,
            epoch=self.lease.epoch,
            generation=self.lease.generation,
        )
        signed, leased = claim.sign(self.key), self.signed
        certificate = self._asked(lambda: self.oversight.claim(signed, leased, evidence))
        check_certificate(certificate, self.trust, self.reader)
        if certificate.claim.digest != signed.digest:
            raise BrakedError("the brake certified another claim", "resume the run")
        return certificate

    @staticmethod
    def _asked(question: Callable[[], T]) -> T:
        """Ask the other side. Whatever goes wrong there stops the trainer."""
        try:
            return question()
        except AutotelicError:
            raise
        except Exception as error:
            raise BrakedError(
                f"the brake does not answer: {error}",
                "start it again (`autotelic auditor`), then resume the run",
            ) from error
