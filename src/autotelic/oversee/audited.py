"""Every decision of a run computed again, from its ledger alone and then against its journal. Imports no torch."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from autotelic.canonical import digest
from autotelic.charter import Charter
from autotelic.errors import OversightError
from autotelic.messages import Alarmed, Decided, Leased, Message
from autotelic.oversee.audited_drift import DriftAudit
from autotelic.oversee.bodies import HOLD
from autotelic.oversee.certify import Certifier, GateRuling, PairedItem
from autotelic.oversee.recorded import agree
from autotelic.oversee.shipped import plan_of
from autotelic.thresholds import read_thresholds

_FIX = "the record was changed, or another version of the engine wrote it"


@dataclass(slots=True)
class Audit:
    """A ledger read from its first leaf on. `lines` says what was computed again, `problem` what is wrong."""

    founding: Mapping[str, Any] = field(default_factory=dict)
    certifier: Certifier | None = None
    drift: DriftAudit | None = None
    alarms: set[tuple[str, int, str]] = field(default_factory=set)
    trip: int = 0
    trail: list[tuple[str, int]] = field(default_factory=list)
    generation: int = 0
    epoch: int = 0
    level: int = 0
    commitment: str = ""
    certified: dict[str, tuple[int, str]] = field(default_factory=dict)
    parents: dict[int, str] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    gates: dict[tuple[str, int], str] = field(default_factory=dict)
    approved: dict[str, int] = field(default_factory=dict)
    lines: list[str] = field(default_factory=list)

    def take(self, leaf: Mapping[str, Any]) -> None:
        """The next leaf. Raises OversightError where it does not follow from those before it."""
        if self.drift is not None:
            self.drift.take(leaf)
        match leaf.get("kind"):
            case "founding":
                self.founding = leaf["founding"]
                self.trail = [(self.founding["start"], -1)]
            case "charter":
                self._charter(leaf["charter"])
            case "lease":
                self.epoch = int(leaf["lease"]["epoch"])
                self.parents[self.epoch] = str(leaf["lease"]["parent"])
                self.trip = max(self.trip, int(leaf["lease"]["trip"]))
                self._same("the champion of a lease", leaf["lease"]["parent"], self.trail[-1][0])
            case "brake":
                self._same("the level that the brake was changed from", leaf["from"], self.level)
                self.level = int(leaf["to"])
            case "gate":
                self._gate(leaf)
            case "reviews":
                self.asked.add(str(leaf["candidate"]))
                self.approved[leaf["candidate"]] = sum(a["how"] == "approve" for a in leaf["answers"])
            case "certificate":
                self._certificate(leaf["certificate"])
            case "alarm":
                self.alarms.add((str(leaf["trigger"]), int(leaf["level"]), str(leaf["reason"])))
            case "revocation":
                self._same("the revoked weights", leaf["revocation"]["candidate"], self.trail[-1][0])
                self.trail.pop()
                self.generation += 1
            case "exam seed":
                self.commitment = str(leaf["commitment"])
            case "exam seed opened":
                found = "sha256:" + hashlib.sha256(bytes.fromhex(leaf["seed"])).hexdigest()
                self._same("the hash of the opened seed", found, self.commitment)
                self.lines.append("the exam's seed was opened, and is the one that was committed to")

    def _charter(self, values: Mapping[str, Any]) -> None:
        self._same("the digest of the charter", digest(values), self.founding.get("charter"))
        if self.certifier is None:
            charter = Charter.of(dict(values), where="the ledger")
            self.certifier = Certifier(plan_of(charter))
            self.drift = DriftAudit(read_thresholds(charter.oversight.thresholds))

    def _gate(self, leaf: Mapping[str, Any]) -> None:
        if self.certifier is None:
            raise OversightError("a gate was held before the charter was recorded", _FIX)
        recorded = ruling_in(leaf)
        # A gate whose overseer was killed is used up, and never heard of.
        while self.certifier.better.used + 1 < recorded.gate:
            self.certifier.better = self.certifier.better.after(rejected=False)
            self.certifier.worse = self.certifier.worse.after(rejected=False)
        computed = self.certifier.review(items_in(leaf))
        if not agree(recorded, computed):
            raise OversightError(
                f"gate {recorded.gate} is recorded as {recorded.outcome!r} ({recorded.reason}); computed again it is "
                f"{computed.outcome!r} ({computed.reason})",
                _FIX,
            )
        self.gates[leaf["candidate"], int(leaf["epoch"])] = computed.outcome
        self.lines.append(f"gate {computed.gate}: {computed.outcome}, {computed.reason}: the same")

    def _certificate(self, body: Mapping[str, Any]) -> None:
        candidate = str(body["candidate"])
        self._same("the parent of a certificate", body["parent"], self.trail[-1][0])
        self._same("the generation of a certificate", body["generation"], self.generation)
        self._same("the epoch of a certificate", body["epoch"], self.epoch)
        if self.level >= HOLD:
            raise OversightError(f"a certificate was given at level {self.level} of the brake", _FIX)
        if self.approved.get(candidate, 0) < int(self.founding["quorum"]):
            raise OversightError(f"{candidate} was certified without its quorum", _FIX)
        outcome = self.gates.get((candidate, self.epoch))
        if outcome is not None and outcome != "certify":
            raise OversightError(f"{candidate} was certified, and its gate said {outcome!r}", _FIX)
        self.certified[candidate] = (self.generation, self.trail[-1][0])
        self.trail.append((candidate, self.generation))
        self.generation += 1

    def _same(self, what: str, recorded: Any, computed: Any) -> None:
        if recorded != computed:
            raise OversightError(f"{what} is {recorded}, and follows as {computed}", _FIX)

    def hear(self, message: Message) -> None:
        """What the run's journal says of it. Raises OversightError where it says something else."""
        match message:
            case Leased():
                self._same("the champion of a lease", message.parent, self.parents.get(message.epoch))
            case Alarmed() if message.generation < self.trip:
                # One of the last generation may not have got there: the run ended, and the journal says why.
                if (message.trigger, message.level, message.reason) not in self.alarms:
                    raise OversightError(f"the alarm {message.reason!r} is not in the ledger", _FIX)
            case Decided():
                generation, parent = self.certified.get(message.weights, (-1, ""))
                if message.decision.verdict == "promote":
                    self._same("the generation of a promotion", message.decision.certificate, generation)
                    self._same("the champion before it", message.champion, parent)
                elif message.weights not in self.asked and generation < 0:
                    # Refused before anybody looked at it: then the ledger has no review of it.
                    self._same(
                        "the verdict of a candidate that nobody reviewed", message.decision.certificate, -1
                    )
                told = f"decision of generation {message.generation}: {message.decision.verdict}"
                self.lines.append(f"{told}: the same")


def items_in(leaf: Mapping[str, Any]) -> list[PairedItem]:
    """The outcomes in the leaf of a gate."""
    return [
        PairedItem(
            item=item,
            program=program,
            champion=tuple(map(float, champion)),
            candidate=tuple(map(float, candidate)),
        )
        for item, program, champion, candidate in leaf["items"]
    ]


def ruling_in(leaf: Mapping[str, Any]) -> GateRuling:
    """The ruling in the leaf of a gate: its numbers are texts there."""
    told = dict(leaf["ruling"])
    values: dict[str, Any] = {"reason": told.pop("reason"), "outcome": told.pop("outcome").strip("'")}
    for name, text in told.items():
        values[name] = int(text) if name in ("gate", "items", "programs") else float(text)
    return GateRuling(**values)


def audit(leaves: Iterable[Mapping[str, Any]], messages: Iterable[Message] | None = None) -> Sequence[str]:
    """What was computed again, a line each. Raises OversightError at the first thing that comes out otherwise."""
    found = Audit()
    try:
        for leaf in leaves:
            found.take(leaf)
        for message in messages or ():
            found.hear(message)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise OversightError(f"a leaf of the ledger is damaged: {error!r:.80}", _FIX) from error
    if not found.founding:
        raise OversightError("the ledger has no founding", "give the ledger of a run")
    if found.drift is not None and (line := found.drift.line()):
        found.lines.append(line)
    champion, generation = found.trail[-1]
    kind = "what the run began from" if generation < 0 else f"by certificate {generation} of the run"
    return [*found.lines, f"champion {champion}, {kind}; grade {found.founding['grade']}"]
