"""The auditors that ship: exam, safety and rate. Each decides by numbers and says which.

Where the numbers come from is an argument: a sitting runs the candidate in a process of its own, with torch; the
rules of certificates, alarms and rates are pure functions of what was observed. What the trainer sends as evidence
counts for nothing here. None of it imports torch.
"""

from __future__ import annotations

import hashlib
import math
import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any, Protocol

from autotelic.errors import OversightError
from autotelic.oversee.auditor import Exhibits, Opinion, SigningAuditor, approve, refuse
from autotelic.oversee.bodies import HOLD, QUARANTINE, Claim
from autotelic.oversee.keys import PrivateKey
from autotelic.oversee.protocols import BootClock


class Sitting(Protocol):
    """Lets a candidate and its parent answer the same fresh items, in a process of its own."""

    def warm(self) -> None:
        """Start what takes long to start, and do not wait for it."""

    def sit(self, candidate: Claim, seed: int) -> Sequence[Any]:
        """The outcomes, one `PairedItem` an item.

        The worker draws the items from the seed, and loads the bytes that the claim names and no others.
        """

    def close(self) -> None:
        """End the worker."""


class GateRule(Protocol):
    """Decides by paired outcomes. `Certifier` of `certify.py` is one."""

    def review(self, items: Sequence[Any]) -> Any:
        """What has `outcome` (`certify`, `roll back` or `train on`) and `reason`, a sentence with its numbers."""


class Pace(Protocol):
    """The charter's limit on how much may be gained. `RateLimit` of `rate.py` is one."""

    def review(self, items: Sequence[Any], now_s: float) -> Any:
        """What has `waits`, whether a human must decide, `bound`, how much may have been gained, and `reason`."""

    def record(self, report: Any, now_s: float) -> None:
        """The candidate of this report was certified."""


class Ground(Protocol):
    """A proving ground: runs a candidate in packs of situations with control arms."""

    def run(self, candidate: Claim, seed: int) -> Sequence[tuple[str, bool, str, int]]:
        """A row a pack: its name, whether the candidate passed, the numbers in a sentence, and the level of the brake
        where it did not. The scenes are drawn from the seed.
        """


class ExamAuditor(SigningAuditor):
    """Holds the sealed items: it draws them from a secret seed that the trainer never has.

    `commitment` is the hash of the seed. It is published at the start of a run, and the seed at its end (`opened`):
    then anybody can draw the items again. Each claim gets items of its own. A candidate that is shown to be worse
    than the certified weights sets the brake to 4.
    """

    def __init__(self, key: PrivateKey, sitting: Sitting, rule: GateRule, seed: bytes | None = None) -> None:
        super().__init__(key)
        self.sitting, self.rule = sitting, rule
        self._seed = secrets.token_bytes(32) if seed is None else seed
        self.forget: Callable[[], None] = lambda: None
        """Removes the seed from the disk, once it is opened."""
        if len(self._seed) < 32:
            raise OversightError("the exam's seed has fewer than 32 bytes", "give 32 random bytes")

    @property
    def commitment(self) -> str:
        return "sha256:" + hashlib.sha256(self._seed).hexdigest()

    def opened(self) -> str:
        """The seed, in hexadecimal. After it no item is secret any more."""
        return self._seed.hex()

    def finished(self) -> None:
        """Open the seed. A run that is given more gets another one."""
        self.note({"kind": "exam seed opened", "seed": self.opened()})
        self.forget()

    def begun(self) -> None:
        self.sitting.warm()

    def close(self) -> None:
        self.sitting.close()

    def seed_of(self, claim: Claim) -> int:
        """The seed of a claim's items. Another candidate, generation or epoch has other items."""
        return claim_seed(self._seed, "", claim)

    def opinion(self, candidate: Claim, evidence: Exhibits) -> Opinion:
        items = self.sitting.sit(candidate, self.seed_of(candidate))
        ruling = self.rule.review(items)
        self.note(gate_leaf(candidate, ruling, items))
        if ruling.outcome == "certify":
            return approve(str(ruling.reason))
        if ruling.outcome == "roll back":
            self.alarm(QUARANTINE, str(ruling.reason))
        return refuse(str(ruling.reason))


class SafetyAuditor(SigningAuditor):
    """Canaries, honeypots with control arms, regressions: refuses what did in a pack what it must not.

    A pack that was not passed raises the brake as well, to the pack's own level.
    """

    def __init__(self, key: PrivateKey, ground: Ground, seed: bytes | None = None) -> None:
        super().__init__(key)
        self.ground = ground
        self._seed = secrets.token_bytes(32) if seed is None else seed

    def opinion(self, candidate: Claim, evidence: Exhibits) -> Opinion:
        rows = list(self.ground.run(candidate, claim_seed(self._seed, "proving ground", candidate)))
        self.note(
            {
                "kind": "proving ground",
                "candidate": candidate.candidate,
                "rows": [[name, passed, why, level] for name, passed, why, level in rows],
            }
        )
        if not rows:
            return refuse("no pack was run: the proving ground needs a domain of programs")
        worse = sorted((row for row in rows if not row[1]), key=lambda row: -row[3])
        if worse:
            self.alarm(worse[0][3], worse[0][2])
            return refuse(*(why for _, _, why, _ in worse))
        return approve(*(why for _, _, why, _ in rows))

    def close(self) -> None:
        close = getattr(self.ground, "close", None)
        if close is not None:
            close()


MORE = 1.1
"""How much more than a human was shown a gain may be that a human has allowed."""


class RateAuditor(SigningAuditor):
    """Refuses a gain that is faster than anybody can check, and sets the brake to hold: then a human decides. Who
    releases the brake allows a gain of what the auditor has shown, and a little more, for training goes on meanwhile.

    `sitting` is the exam auditor's, through `OneSitting`: both judge by the same outcomes.
    """

    def __init__(self, key: PrivateKey, pace: Pace, sitting: Sitting, clock: BootClock) -> None:
        super().__init__(key)
        self.pace, self.sitting, self.clock = pace, sitting, clock
        self._report: Any = None
        self._shown = self._allowed = -math.inf

    def opinion(self, candidate: Claim, evidence: Exhibits) -> Opinion:
        items = self.sitting.sit(candidate, 0)
        if not items:
            return refuse("there are no outcomes to tell the gain by")
        self._report = self.pace.review(items, self.clock.now() / 1000)
        if not self._report.waits:
            return approve(self._report.reason)
        if self._report.bound <= self._allowed:
            return approve(f"a human allowed it; {self._report.reason}")
        self._shown = self._report.bound
        self.alarm(HOLD, self._report.reason)
        return refuse(self._report.reason)

    def released(self) -> None:
        self._allowed, self._shown = self._shown * MORE, -math.inf

    def certified(self, candidate: Claim) -> None:
        if self._report is not None:
            self.pace.record(self._report, self.clock.now() / 1000)
        self._allowed = -math.inf


class OneSitting:
    """A sitting that two auditors share. Seed 0 stands for the outcomes that the other one's seed gives.

    Whoever asks with seed 0 before they are there waits, `patience` seconds at most, and gets none then.
    """

    def __init__(self, sitting: Sitting, patience: float = 600.0) -> None:
        self.sitting, self.patience = sitting, patience
        self._about: tuple[str, int, int] | None = None
        self._items: Sequence[Any] = ()
        self._ready = threading.Condition()

    def sit(self, candidate: Claim, seed: int) -> Sequence[Any]:
        about = (candidate.candidate, candidate.generation, candidate.epoch)
        if seed:
            items: Sequence[Any] = ()
            try:
                items = self.sitting.sit(candidate, seed)
            finally:  # whoever waits for outcomes of a sitting that failed gets none, at once
                with self._ready:
                    self._about, self._items = about, items
                    self._ready.notify_all()
            return items
        with self._ready:
            there = self._ready.wait_for(lambda: self._about == about, self.patience)
            return self._items if there else ()

    def warm(self) -> None:
        self.sitting.warm()

    def close(self) -> None:
        self.sitting.close()


def claim_seed(secret: bytes, purpose: str, claim: Claim) -> int:
    """A seed of 63 bits for one purpose and one claim, that only who has the secret can know."""
    text = f"{purpose}{claim.run}\n{claim.generation}\n{claim.epoch}\n{claim.candidate}".encode()
    return int.from_bytes(hashlib.sha256(secret + text).digest()[:8], "big") >> 1


def gate_leaf(claim: Claim, ruling: Any, items: Sequence[Any]) -> dict[str, Any]:
    """What decided, for the ledger: numbers as texts, because JSON readers differ in large and in exact ones."""
    told = {name: repr(value) for name, value in asdict(ruling).items() if name != "reason"}
    return {
        "kind": "gate",
        "candidate": claim.candidate,
        "parent": claim.parent,
        "generation": claim.generation,
        "epoch": claim.epoch,
        "ruling": {**told, "reason": ruling.reason},
        "items": [
            [one.item, one.program, list(map(repr, one.champion)), list(map(repr, one.candidate))]
            for one in items
        ],
    }
