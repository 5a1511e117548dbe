"""Auditors: who looks at a candidate before it may become champion, and how their answers are gathered.

An auditor is anything with `review(candidate, evidence)`, which returns a signed `Review`. `SigningAuditor` is the
base for one in twenty lines: it asks `opinion` and signs what that says. An auditor that fails, is late or says
nothing has not approved.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

from autotelic.canonical import digest
from autotelic.errors import OversightError
from autotelic.oversee.bodies import Claim, Review
from autotelic.oversee.keys import PrivateKey, PublicKey
from autotelic.oversee.signed import Signed, check_plain

Exhibits = Mapping[str, Any]
"""What is known about a candidate, by name, in plain JSON: outcomes of exams, canaries, retention, rates."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What an auditor thinks of a candidate, and why: a sentence a reason."""

    verdict: Literal["approve", "refuse"]
    reasons: tuple[str, ...] = ()


def approve(*reasons: str) -> Opinion:
    """The candidate may become champion."""
    return Opinion("approve", reasons)


def refuse(*reasons: str) -> Opinion:
    """It may not."""
    return Opinion("refuse", reasons)


class Auditor(Protocol):
    """Who reviews candidates."""

    @property
    def public(self) -> PublicKey:
        """The key that its reviews are signed with, of the role `auditor`."""

    def review(self, candidate: Claim, evidence: Exhibits) -> Signed:
        """A signed `Review` of exactly this candidate. Called by one thread at a time."""


class SigningAuditor:
    """A base for auditors: write `opinion`."""

    def __init__(self, key: PrivateKey) -> None:
        if key.public.role != "auditor":
            raise OversightError(f"this is a key of the {key.public.role}", "give an auditor's key")
        self._key = key
        self.public = key.public
        self.alarm: Callable[[int, str], None] = lambda level, reason: None
        """Raises the brake to a level, with a reason. The overseer puts its own here."""
        self.note: Callable[[Mapping[str, Any]], None] = lambda leaf: None
        """Puts a leaf into the ledger. The overseer puts its own here."""

    def opinion(self, candidate: Claim, evidence: Exhibits) -> Opinion:
        """What this auditor thinks. An exception counts as no answer."""
        raise NotImplementedError

    def certified(self, candidate: Claim) -> None:
        """Called when a candidate that this auditor reviewed was certified."""

    def begun(self) -> None:
        """Called when the run trains its first generation: what takes long to start can be started beside it."""

    def released(self) -> None:
        """Called when humans have lowered the brake."""

    def finished(self) -> None:
        """Called when the run has spent its budget, and nothing more is to be reviewed."""

    def close(self) -> None:
        """Called when the overseer ends."""

    def review(self, candidate: Claim, evidence: Exhibits) -> Signed:
        """The opinion, bound to this candidate and to what was looked at, and signed."""
        return sign_opinion(self._key, candidate, evidence, self.opinion(candidate, evidence))


def sign_opinion(key: PrivateKey, claim: Claim, evidence: Exhibits, opinion: Opinion) -> Signed:
    """A signed review of exactly what is claimed."""
    return Review(
        run=claim.run,
        charter=claim.charter,
        candidate=claim.candidate,
        blob=claim.blob,
        parent=claim.parent,
        epoch=claim.epoch,
        generation=claim.generation,
        verdict=opinion.verdict,
        evidence=digest(evidence),
        reasons=opinion.reasons,
    ).sign(key)


# ── gathering answers ────────────────────────────────────────────────────────────────────────────────────────────

How = Literal[
    "approve", "refuse", "repeated", "after a refusal", "late", "rubbish", "of another", "failed", "never"
]
"""What became of an answer. Only `approve` and `refuse` count."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer, or its absence, for the record."""

    auditor: str
    how: How
    reasons: tuple[str, ...] = ()
    signed: Signed | None = None


@dataclass(slots=True)
class Docket:
    """The answers about one claim. The first answer of an auditor counts; a refusal stays a refusal.

    `receive` says what became of each. After `close` everything is late.
    """

    claim: Claim
    auditors: tuple[PublicKey, ...]
    evidence: str
    answers: list[Answer] = field(default_factory=list)
    closed: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def receive(self, answer: Any) -> Answer:
        """Take an answer in, whoever sent it and whatever it is."""
        with self._lock:
            taken = self._taken(answer)
            self.answers.append(taken)
        return taken

    def _taken(self, answer: Any) -> Answer:
        if not isinstance(answer, Signed):
            return Answer(
                auditor="?", how="rubbish", reasons=(f"{type(answer).__name__} is no signed review",)
            )
        name = answer.name if any(answer.name == key.name for key in self.auditors) else "?"
        try:
            review = Review.opened(answer, *self.auditors)
        except OversightError as error:
            return Answer(auditor=name, how="rubbish", reasons=(error.cause,))
        if not review.is_about(self.claim) or review.evidence != self.evidence:
            return Answer(
                auditor=name, how="of another", reasons=("it is about something else",), signed=answer
            )
        how: How = review.verdict
        if self.closed:
            how = "late"
        elif before := [old.how for old in self.answers if old.auditor == name]:
            if review.verdict in before:
                how = "repeated"
            elif "refuse" in before:
                how = "after a refusal"
        return Answer(auditor=name, how=how, reasons=review.reasons, signed=answer)

    def missing(self) -> list[str]:
        """Auditors that have not said anything that counts."""
        heard = {answer.auditor for answer in self.answers if answer.how in ("approve", "refuse")}
        return [key.name for key in self.auditors if key.name not in heard]

    def close(self) -> None:
        """No answer counts any more. Those who said nothing are noted."""
        with self._lock:
            if not self.closed:
                self.closed = True
                said = {answer.auditor for answer in self.answers}
                self.answers += [
                    Answer(auditor=name, how="never") for name in self.missing() if name not in said
                ]

    @property
    def reviews(self) -> tuple[Signed, ...]:
        """The reviews that count, refusals too: what the brake decides by."""
        counted = [answer for answer in self.answers if answer.how in ("approve", "refuse")]
        return tuple(answer.signed for answer in counted if answer.signed is not None)

    def leaf(self) -> dict[str, Any]:
        """For the ledger: who said what, and what did not count."""
        told = [{"auditor": a.auditor, "how": a.how, "reasons": list(a.reasons)} for a in self.answers]
        return {
            "kind": "reviews",
            "candidate": self.claim.candidate,
            "evidence": self.evidence,
            "answers": told,
        }


def open_docket(claim: Claim, evidence: Exhibits, auditors: Iterable[PublicKey]) -> Docket:
    """An empty docket. Raises OversightError for evidence that is not plain JSON."""
    check_plain(evidence)
    return Docket(claim, tuple(auditors), digest(evidence))


def ask(auditors: Sequence[Auditor], docket: Docket, evidence: Exhibits, seconds: float) -> None:
    """Ask auditors of this process, all at once, and wait so long at most. Late answers are received as late.

    Each has a thread of its own, so that one that hangs keeps nobody else from answering. Such a thread is left
    behind; it dies with the process.
    """
    done: queue.Queue[str] = queue.Queue()

    def answered(auditor: Auditor) -> None:
        try:
            docket.receive(auditor.review(docket.claim, evidence))
        except Exception as error:  # an auditor is somebody else's code
            docket.answers.append(
                Answer(
                    auditor=auditor.public.name, how="failed", reasons=(f"{type(error).__name__}: {error}",)
                )
            )
        done.put(auditor.public.name)

    for auditor in auditors:
        threading.Thread(target=answered, args=(auditor,), daemon=True).start()
    until = time.monotonic() + seconds
    for _ in auditors:
        try:
            done.get(timeout=max(0.0, until - time.monotonic()))
        except queue.Empty:
            break
