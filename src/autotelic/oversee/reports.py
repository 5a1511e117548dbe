"""What the trainer puts on the record of its overseer: its exams, checkpoints, sealed items and alarms.

    reports.hear(message)    keeps what belongs there
    reports.flush()          sends it: one request, one commit of the ledger

A report proves that the trainer said so at that time. Whether it is true, auditors see.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from autotelic import messages as m
from autotelic.canonical import canonical, digest
from autotelic.errors import OversightError
from autotelic.oversee.bodies import QUARANTINE, Statement
from autotelic.oversee.signed import Signed, check_plain, strict

MOST_LEAVES = 1000
"""Leaves of one report: a generation has a handful."""
KINDS = frozenset({"exam", "checkpoint", "sealed items", "sealed looks", "alarm"})
"""Kinds of leaves that a trainer may report. All others are the brake's and the auditors'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report(Statement):
    """Leaves for the ledger, as the canonical JSON of a list. `level` is what the brake is to be raised to, at least,
    with its `reason`; 0 leaves it.
    """

    type: ClassVar[str] = "report"

    leaves: str
    level: int
    reason: str
    nonce: str

    def read_leaves(self) -> list[dict[str, Any]]:
        """The leaves. Raises OversightError for what no trainer may report."""
        found = strict(self.leaves.encode())
        if not isinstance(found, list) or not found or len(found) > MOST_LEAVES:
            raise OversightError("a report is no list of leaves", f"send 1 to {MOST_LEAVES}")
        for leaf in found:
            if not isinstance(leaf, dict) or leaf.get("kind") not in KINDS:
                raise OversightError(
                    f"a trainer does not report {str(leaf)[:60]!r}", f"send one of {', '.join(sorted(KINDS))}"
                )
        if not 0 <= self.level <= QUARANTINE:
            raise OversightError(f"there is no level {self.level} of the brake", "give 0 to 4")
        return found


class Reports:
    """What one run still owes the ledger. `send` hands a report to the overseer, and raises BrakedError where it
    does not get there.
    """

    def __init__(self, send: Callable[[list[dict[str, Any]], int, str], None]) -> None:
        self._send = send
        self._leaves: list[dict[str, Any]] = []
        self._level, self._reason = 0, ""

    def hear(self, message: m.Message) -> None:
        """Keep what of a recorded message belongs in the ledger."""
        leaf = leaf_of(message)
        if leaf is not None:
            self._leaves.append({**leaf, "trip": message.generation, "message": message.id})
        if isinstance(message, m.Alarmed) and message.level > self._level:
            self._level, self._reason = message.level, f"{message.trigger}: {message.reason}"

    def checkpoint(self, generation: int, manifest: str, lineage: str, weights: str) -> None:
        """A checkpoint was saved: the digest of its manifest, that of all that the journal says so far, from which
        every lineage is followed, and the reference of the working weights.
        """
        self._leaves.append(
            {
                "kind": "checkpoint",
                "trip": generation,
                "manifest": manifest,
                "lineage": lineage,
                "weights": weights,
            }
        )

    def flush(self) -> None:
        """Send what is owed, in one report."""
        if not self._leaves:
            return
        leaves, level, reason = self._leaves, self._level, self._reason
        self._leaves, self._level, self._reason = [], 0, ""
        self._send(leaves, level, reason)


def leaf_of(message: m.Message) -> dict[str, Any] | None:
    """The leaf of a message; None for most. Numbers that are not whole are texts, as in all leaves."""
    match message:
        case m.Evaluated():
            report = message.report
            return {
                "kind": "exam",
                "exam": report.exam,
                "digest": report.digest,
                "when": message.when,
                "weights": report.weights,
                "score": repr(float(report.overall.pass_at_1.value)),
                "outcomes": digest({item: repr(float(value)) for item, value in report.outcomes.items()}),
            }
        case m.Opened():
            return {"kind": "sealed items", "items": list(message.items), "sources": list(message.sources)}
        case m.Looked():
            pairs = zip(message.said, message.truth, strict=True)
            return {"kind": "sealed looks", "looks": [[repr(float(s)), repr(float(t))] for s, t in pairs]}
        case m.Alarmed():
            return {
                "kind": "alarm",
                "trigger": message.trigger,
                "level": message.level,
                "reason": message.reason,
            }
    return None


def report_of(run: str, leaves: list[dict[str, Any]], level: int, reason: str) -> Report:
    """A report that is new: its nonce is drawn."""
    check_plain(leaves)
    return Report(
        run=run, leaves=canonical(leaves), level=level, reason=reason[:900], nonce=secrets.token_hex(16)
    )


def opened(signed: Signed, run: str, *trainers: Any) -> tuple[Report, list[Mapping[str, Any]]]:
    """A trainer's report and its leaves. Raises OversightError for another run's, and for what is none."""
    report = Report.opened(signed, *trainers)
    if report.run != run:
        raise OversightError("this report is of another run", "report to the run's own overseer")
    return report, list(report.read_leaves())
