"""The brake and its auditors together: what the trainer talks to, in this process or through `server.py`."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from autotelic.errors import AutotelicError, BrakedError, OversightError
from autotelic.oversee import claims, reports
from autotelic.oversee.auditor import (
    Answer,
    Auditor,
    Docket,
    Exhibits,
    SigningAuditor,
    ask,
    open_docket,
)
from autotelic.oversee.bodies import LEVELS, Claim
from autotelic.oversee.brake import Brake
from autotelic.oversee.permits import Certificate
from autotelic.oversee.signed import Signed

T = TypeVar("T")


@dataclass(slots=True)
class Pending:
    """A claim that auditors are looking at, with its evidence."""

    claimed: Signed
    docket: Docket
    evidence: Exhibits
    heard: threading.Condition = field(default_factory=threading.Condition)

    def as_json(self) -> dict[str, Any]:
        return {
            "claim": self.claimed.as_json(),
            "evidence": dict(self.evidence),
            "missing": self.docket.missing(),
        }


class Overseer:
    """One run's brake, its auditors of this process, and those that answer from elsewhere.

    All calls of the brake happen on one thread, one after another: so the brake and its ledger need no locks, and
    setting the brake waits for no auditor. `patience` is how many seconds an auditor has. Implements `Oversight`.
    """

    def __init__(
        self, open_brake: Callable[[], Brake], auditors: Sequence[Auditor] = (), patience: float = 600.0
    ) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="brake")
        self.auditors, self.patience = tuple(auditors), patience
        self.pending: dict[str, Pending] = {}
        self.closed: list[Pending] = []
        self._reported: set[str] = set()
        self._begun = False
        try:
            self.brake = self._thread.submit(open_brake).result()
        except BaseException:
            self._thread.shutdown()
            raise
        for auditor in self.auditors:
            if isinstance(auditor, SigningAuditor):
                auditor.alarm = partial(self._alarm, auditor.public.name)
                auditor.note = self.note

    def close(self, end: Callable[[], None] = lambda: None) -> None:
        """End the brake's thread; `end` is called on it last, to close the ledger."""
        for auditor in self.auditors:
            if isinstance(auditor, SigningAuditor):
                auditor.close()
        self._thread.submit(end).result()
        self._thread.shutdown()

    def on_brake(self, call: Callable[[], T]) -> T:
        """Do something on the brake's thread."""
        return self._thread.submit(call).result()

    # ── what the trainer and the door ask ────────────────────────────────────────────────────────────────

    def founding(self) -> Signed:
        return self.on_brake(lambda: self.brake.founding)

    def lease(self, asked: Signed) -> Signed:
        granted = self._or_noted("lease", asked, lambda: self.brake.grant(asked))
        if granted.body["trip"] and not self._begun:
            self._begun = True
            for auditor in self.auditors:
                if isinstance(auditor, SigningAuditor):
                    auditor.begun()
        return granted

    def beat(self, sent: Signed) -> Signed:
        return self.on_brake(lambda: self.brake.beat(sent))

    def attest(self, nonce: str) -> Signed:
        return self.on_brake(lambda: self.brake.attest(nonce))

    def certificate(self, generation: int) -> Certificate | None:
        return self.on_brake(lambda: self.brake.certificate(generation))

    def claim(self, claimed: Signed, leased: Signed, evidence: Exhibits) -> Certificate:
        """Have a candidate reviewed, then certified. Raises BrakedError for a no.

        A claim that the brake would refuse anyway is refused before anybody looks at it.
        """
        trust = self.brake.trust
        claim = Claim.opened(claimed, *trust.of_role("trainer"))
        self._or_noted("claim", claimed, lambda: self.brake.admit(claimed, leased))
        if claimed.digest in self.pending:
            raise BrakedError("this claim is being reviewed already", "wait for its answer")
        pending = Pending(claimed, open_docket(claim, evidence, trust.of_role("auditor")), evidence)
        self.pending[claimed.digest] = pending
        try:
            self._gather(pending)
        finally:
            del self.pending[claimed.digest]
            pending.docket.close()
            self.closed = [*self.closed[-9:], pending]
        self.on_brake(lambda: self.brake.note(pending.docket.leaf()))
        reviews = pending.docket.reviews
        try:
            certificate = self._or_noted(
                "certificate", claimed, lambda: self.brake.certify(claimed, leased, reviews)
            )
        except BrakedError as error:
            said = [f"{a.auditor} {a.how}: {r}" for a in pending.docket.answers for r in a.reasons]
            raise BrakedError("; ".join([error.cause, *said]), error.fix) from error
        for auditor in self.auditors:
            if isinstance(auditor, SigningAuditor):
                auditor.certified(claim)
        return certificate

    def report(self, sent: Signed) -> None:
        """What the trainer puts on the record: its exams, checkpoints and alarms. An alarm raises the brake.

        The brake is raised though the record cannot be written. The same report is heard once.
        """
        trust = self.brake.trust
        report, leaves = reports.opened(sent, trust.run, *trust.of_role("trainer"))
        if sent.digest in self._reported:
            raise OversightError("this report was heard before", "send a new one")
        self._reported.add(sent.digest)

        def taken() -> None:
            try:
                self.brake.note(*leaves)
            finally:
                if report.level:
                    self.brake.raise_to(report.level, report.reason, "trigger")

        self.on_brake(taken)

    def note(self, leaf: Mapping[str, Any]) -> None:
        """Put something on the record."""
        self.on_brake(lambda: self.brake.note(leaf))

    def finish(self) -> None:
        """The run has spent its budget: auditors open what they kept secret."""
        for auditor in self.auditors:
            if isinstance(auditor, SigningAuditor):
                auditor.finished()

    def _alarm(self, name: str, level: int, reason: str) -> None:
        self.raise_to(level, reason, f"auditor {name}")

    def _or_noted(self, what: str, asked: Signed, call: Callable[[], T]) -> T:
        """Do something on the brake's thread. What it refuses its own trainer goes on the record."""
        try:
            return self.on_brake(call)
        except AutotelicError as error:
            with suppress(AutotelicError):  # somebody else's requests would only fill the ledger
                asked.opened(asked.type, *self.brake.trust.of_role("trainer"))
                leaf = {"kind": "refused", "what": what, "request": asked.digest, "cause": error.cause}
                self.on_brake(lambda: self.brake.note(leaf))
            raise

    def _gather(self, pending: Pending) -> None:
        """Ask the auditors of this process, and wait for the others."""
        until = time.monotonic() + self.patience
        ask(self.auditors, pending.docket, pending.evidence, self.patience)
        here = {auditor.public.name for auditor in self.auditors}
        with pending.heard:
            while set(pending.docket.missing()) - here and (left := until - time.monotonic()) > 0:
                if self.brake.state.level >= 2:
                    break  # nothing is certified now, so nobody need be waited for
                pending.heard.wait(min(left, 1.0))

    def receive(self, signed: Any) -> Answer:
        """An answer from an auditor that is elsewhere, or from a human. What is late is on the record too."""
        try:
            about = signed.body["candidate"]
        except (AttributeError, KeyError, TypeError):
            raise OversightError("this is no signed review", "send a review of a pending claim") from None
        for pending in (*self.pending.values(), *reversed(self.closed)):
            if pending.docket.claim.candidate == about:
                with pending.heard:
                    answer = pending.docket.receive(signed)
                    pending.heard.notify_all()
                if answer.how == "late":
                    self._note_late(answer, about)
                return answer
        raise OversightError(
            f"no claim for {about!r:.80} is pending", "`autotelic review` lists those that are"
        )

    def _note_late(self, answer: Answer, about: str) -> None:
        leaf = {"kind": "late review", "auditor": answer.auditor, "candidate": about}
        self.on_brake(lambda: self.brake.note(leaf))

    # ── what humans and alarms ask ───────────────────────────────────────────────────────────────────────

    def raise_to(self, level: int, reason: str, by: str) -> None:
        self.on_brake(lambda: self.brake.raise_to(level, reason, by))

    def release(self, orders: Sequence[Signed]) -> None:
        self.on_brake(lambda: self.brake.release(orders))
        for auditor in self.auditors:
            if isinstance(auditor, SigningAuditor):
                auditor.released()

    def roll_back(self, reason: str, by: str) -> Signed:
        return self.on_brake(lambda: self.brake.roll_back(reason, by))

    def recall(self, order: Signed) -> Signed:
        """Roll back by a human's order: the champion is revoked for ever."""

        def recalled() -> Signed:
            by, reason = claims.check_recall(order, self.brake.state, self.brake.trust)
            return self.brake.roll_back(reason, by)

        return self.on_brake(recalled)

    def status(self) -> Mapping[str, Any]:
        """What `autotelic brake status` shows."""
        state, trust = self.on_brake(lambda: self.brake.state), self.brake.trust
        return {
            "run": state.run,
            "charter": state.charter,
            "grade": trust.grade,
            "level": state.level,
            "name": LEVELS[state.level],
            "reason": state.reason,
            "change": state.changes,
            "epoch": state.epoch,
            "generation": state.generation,
            "champion": state.champion.candidate,
            "certified": [crowned.candidate for crowned in state.trail[1:]],
            "trail": [[c.candidate, c.blob, c.generation] for c in state.trail],
            "revoked": list(state.revoked),
            "quorum": trust.quorum,
            "auditors": [key.name for key in trust.of_role("auditor")],
            "pending": len(self.pending),
            "broken": self.brake.broken,
        }
