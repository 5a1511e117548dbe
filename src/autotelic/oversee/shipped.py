"""The auditors that ship, made for one oversight folder by the plan of a charter. None of it imports torch."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from autotelic.canonical import canonical
from autotelic.charter import Charter
from autotelic.errors import OversightError
from autotelic.oversee.auditor import SigningAuditor
from autotelic.oversee.auditors import ExamAuditor, OneSitting, RateAuditor, SafetyAuditor
from autotelic.oversee.certify import CertificatePlan, Certifier, GateRuling, PairedItem
from autotelic.oversee.host import FolderDisk
from autotelic.oversee.house import House
from autotelic.oversee.keys import make_keys
from autotelic.oversee.rate import RateLimit, RatePlan, RateReport
from autotelic.oversee.sitting import Rounds, WorkerGround, WorkerSitting

CERTIFICATES_A_DAY = 100
"""Bounds of a day that share one error. More than a run of a day asks for, and a bound is hardly wider for it."""
_GATES, _RATE = "gates.json", "rate.json"


def plan_of(charter: Charter) -> CertificatePlan:
    """What a charter fixes of certificates before the first gate."""
    gate = charter.gate
    return CertificatePlan(
        gates=gate.planned,
        items=gate.items,
        answers=gate.answers,
        alpha=gate.alpha,
        alpha_roll_back=gate.alpha,
    )


def rate_of(charter: Charter) -> RatePlan:
    """What a charter allows to be gained without a human."""
    limits = charter.oversight
    return RatePlan(
        per_certificate=limits.gain, per_day=limits.gain_day, certificates_per_day=CERTIFICATES_A_DAY
    )


@dataclass(frozen=True, slots=True)
class KeptCertifier:
    """A certifier whose state is on the disk before its ruling is known. Implements `GateRule`.

    A gate that was cut short is used up: nobody tries again with the same alpha.
    """

    plan: CertificatePlan
    disk: FolderDisk

    def _certifier(self) -> Certifier:
        kept = self.disk.read(_GATES)
        return Certifier(self.plan) if kept is None else Certifier.resume(self.plan, _json(kept))

    def goes_on(self, items: Sequence[PairedItem]) -> bool:
        """Whether another round of items is worth asking."""
        return self._certifier().goes_on(items)

    def review(self, items: Sequence[PairedItem]) -> GateRuling:
        certifier = self._certifier()
        ruling = certifier.review(items)
        self.disk.write(_GATES, canonical(certifier.state()).encode())
        return ruling


class KeptPace:
    """A rate limit whose certificates are on the disk. Implements `Pace`.

    The clock starts anew with the machine. What was certified before this process counts as certified when it
    began: that never allows more than is allowed.
    """

    def __init__(self, plan: RatePlan, disk: FolderDisk) -> None:
        self.plan, self.disk = plan, disk
        self._limit: RateLimit | None = None

    def _now(self, now_s: float) -> RateLimit:
        if self._limit is None:
            kept = self.disk.read(_RATE)
            state = RateLimit(self.plan).state() if kept is None else _json(kept)
            state["certified"] = [[now_s, bound] for _, bound in state["certified"]]
            self._limit = RateLimit.resume(self.plan, state)
        return self._limit

    def review(self, items: Sequence[PairedItem], now_s: float) -> RateReport:
        return self._now(now_s).review(items, now_s)

    def record(self, report: RateReport, now_s: float) -> None:
        limit = self._now(now_s)
        limit.record(report, now_s)
        self.disk.write(_RATE, canonical(limit.state()).encode())


def shipped(names: Sequence[str], house: House, run: Path) -> list[SigningAuditor]:
    """The auditors of these names, `exam`, `rate` and `safety`, for the run of a folder.

    The exam and the rate auditor judge by one sitting. Raises OversightError for a name that there is none of.
    """
    if not names:
        return []
    charter = Charter.of(_json((run / "charter.json").read_bytes()), where=str(run / "charter.json"))
    disk = FolderDisk(house.folder / "auditors")
    worker = WorkerSitting(run, house.champion_blob, items=charter.gate.items, answers=charter.gate.answers)
    rule = KeptCertifier(plan_of(charter), disk)
    sitting = OneSitting(Rounds(worker, rule.goes_on))
    made: list[SigningAuditor] = []
    for name in names:
        match name:
            case "exam":
                exam = ExamAuditor(house.key("auditor", "exam"), sitting, rule, house.exam_seed())
                exam.forget = house.forget_exam_seed
                made.append(exam)
            case "rate":
                key = house.key("auditor", "rate")
                made.append(RateAuditor(key, KeptPace(rate_of(charter), disk), sitting, house.clock))
            case "safety":
                key = make_keys(house.keys, [("auditor", "safety")])["auditor", "safety"]
                made.append(SafetyAuditor(key, WorkerGround(worker), house.exam_seed()))
            case _:
                raise OversightError(
                    f"there is no auditor {name!r}", "give exam, rate, safety, or module:Class"
                )
    return made


def commitments(auditors: Sequence[Any], run: Path) -> list[dict[str, Any]]:
    """Leaves that a run begins or goes on with: its charter, whose plan decides, and that by which auditors commit to
    what they keep secret.
    """
    path = run / "charter.json"
    charter = [{"kind": "charter", "charter": _json(path.read_bytes())}] if path.is_file() else []
    return charter + [
        {"kind": "exam seed", "auditor": auditor.public.name, "commitment": auditor.commitment}
        for auditor in auditors
        if isinstance(auditor, ExamAuditor)
    ]


def _json(content: bytes) -> dict[str, Any]:
    value = json.loads(content)
    if not isinstance(value, dict):
        raise OversightError("the state of an auditor is damaged", "restore the oversight folder from a copy")
    return value
