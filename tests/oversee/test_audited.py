"""Every decision computed again from a ledger's leaves: the honest ones pass, each changed one is named."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from autotelic.charter import Charter
from autotelic.errors import OversightError
from autotelic.messages import Alarmed, Decided, Leased
from autotelic.oversee.audited import audit, items_in, ruling_in
from autotelic.oversee.audited_drift import DriftAudit
from autotelic.oversee.auditors import gate_leaf
from autotelic.oversee.bodies import Claim
from autotelic.oversee.certify import Certifier, PairedItem
from autotelic.oversee.shipped import plan_of
from autotelic.thresholds import read_thresholds
from autotelic.types import Decision

CHARTER = Charter.of({"gate": {"items": 20, "answers": 2, "planned": 2}})
SEED = b"s" * 32
Leaf = dict[str, Any]


def items(better: bool) -> list[PairedItem]:
    new = (1.0, 1.0) if better else (0.0, 0.0)
    return [PairedItem(item=f"i{n}", program=f"p{n}", champion=(0.0, 0.0), candidate=new) for n in range(20)]


def claimed(candidate: str, epoch: int) -> Claim:
    return Claim(
        run="r",
        charter=CHARTER.digest,
        lease="l",
        candidate=candidate,
        blob="b",
        parent="start",
        epoch=epoch,
        generation=0,
    )


def leaves() -> list[Leaf]:
    """A run of two gates: one after which the weights train on, and one that certifies."""
    certifier = Certifier(plan_of(CHARTER))
    found: list[Leaf] = [
        {
            "kind": "founding",
            "founding": {"start": "start", "charter": CHARTER.digest, "quorum": 1, "grade": "A"},
        },
        {"kind": "charter", "charter": CHARTER.canonical()},
        {"kind": "exam seed", "commitment": "sha256:" + hashlib.sha256(SEED).hexdigest()},
    ]
    for epoch, (name, better) in enumerate([("one", False), ("two", True)], start=1):
        shown = items(better)
        lease = {"epoch": epoch, "parent": "start", "trip": epoch - 1, "level": 0}
        found.append({"kind": "lease", "lease": lease})
        found.append(gate_leaf(claimed(name, epoch), certifier.review(shown), shown))
        how = "approve" if better else "refuse"
        answers = [{"auditor": "exam", "how": how, "reasons": []}]
        found.append({"kind": "reviews", "candidate": name, "answers": answers})
    body = {"candidate": "two", "parent": "start", "generation": 0, "epoch": 2}
    found.append({"kind": "certificate", "certificate": body})
    found.append({"kind": "exam seed opened", "seed": SEED.hex()})
    return found


def messages() -> list[Any]:
    def decided(weights: str, verdict: Any, certificate: int) -> Decided:
        decision = Decision(verdict=verdict, reasons=("because",), certificate=certificate)
        return Decided(weights=weights, champion="start", decision=decision)

    def leased(epoch: int) -> Leased:
        return Leased(epoch=epoch, parent="start", blob="b", certificate=-1, level=0, grade="A")

    return [leased(1), decided("one", "train on", -1), leased(2), decided("two", "promote", 0)]


def test_an_honest_ledger_and_its_journal_come_out_the_same() -> None:
    said = audit(leaves(), messages())
    assert [line.split(":")[0] for line in said[:2]] == ["gate 1", "gate 2"]
    assert said[-1].startswith("champion two, by certificate 0 of the run")


def test_a_gate_comes_back_from_its_leaf() -> None:
    shown = items(True)
    ruling = Certifier(plan_of(CHARTER)).review(shown)
    leaf = gate_leaf(claimed("two", 2), ruling, shown)
    assert items_in(leaf) == shown
    assert ruling_in(leaf) == ruling


def outcome(found: list[Leaf]) -> None:
    found[4]["items"][0][3] = ["1.0", "1.0"]


def ruling(found: list[Leaf]) -> None:
    found[4]["ruling"]["outcome"] = "'certify'"


def charter(found: list[Leaf]) -> None:
    found[1]["charter"]["gate"]["alpha"] = 0.4


def parent(found: list[Leaf]) -> None:
    found[9]["certificate"]["parent"] = "one"


def quorum(found: list[Leaf]) -> None:
    found[8]["answers"] = []


def held(found: list[Leaf]) -> None:
    found.insert(9, {"kind": "brake", "from": 0, "to": 2, "by": "human", "reason": ""})


def epoch(found: list[Leaf]) -> None:
    found[9]["certificate"]["epoch"] = 1


def seed(found: list[Leaf]) -> None:
    found[10]["seed"] = (b"t" * 32).hex()


def refused(found: list[Leaf]) -> None:
    """The gate said train on, and a certificate was given."""
    found[3]["lease"]["epoch"] = 1
    found[9]["certificate"] |= {"candidate": "one", "epoch": 2}
    found[7]["candidate"], found[8]["candidate"] = "other", "one"
    found[4]["epoch"] = 2


@pytest.mark.parametrize(
    "change", [outcome, ruling, charter, parent, quorum, held, epoch, seed, refused], ids=lambda c: c.__name__
)
def test_a_changed_leaf_is_found(change: Callable[[list[Leaf]], None]) -> None:
    found = copy.deepcopy(leaves())
    change(found)
    with pytest.raises(OversightError):
        audit(found)


def test_a_promotion_that_no_certificate_shows_is_found() -> None:
    forged = messages()
    decision = Decision(verdict="promote", reasons=("because",), certificate=0)
    forged[1] = Decided(weights="one", champion="start", decision=decision)
    with pytest.raises(OversightError, match="generation of a promotion"):
        audit(leaves(), forged)


def test_what_is_no_ledger_of_a_run_is_said_so() -> None:
    with pytest.raises(OversightError, match="no founding"):
        audit([])
    with pytest.raises(OversightError, match="damaged"):
        audit([{"kind": "lease"}])


# ── drift ────────────────────────────────────────────────────────────────────────────────────────────────


def lease(trip: int, level: int = 0) -> dict[str, Any]:
    return {"kind": "lease", "lease": {"epoch": 1, "parent": "start", "trip": trip, "level": level}}


def looked(trip: int, said: float, truth: float, n: int = 32) -> list[dict[str, Any]]:
    """What a generation with a look puts on the ledger, its alarms left out."""
    names = [f"{at}/{trip}" for at in range(n)]
    looks = [[repr(said), repr(truth)]] * n
    return [
        {"kind": "sealed items", "items": names, "sources": ["critic"]},
        {"kind": "sealed looks", "looks": looks},
    ]


def alarm(trigger: str, level: int, kind: str, limit: str, at: int) -> dict[str, Any]:
    reason = f"{kind} evidence of drift reached {limit} at sealed item {at} (delta0 0.08)"
    return {"kind": "alarm", "trigger": trigger, "level": level, "reason": reason}


LATER = 7
"""Where the items of generation 2 are."""
FOR_LIFE = alarm("drift", 3, "lifetime", "100", 46)
EARLY = alarm("early drift", 2, "early", "20000", 48)


def drifting() -> list[dict[str, Any]]:
    """A run that alarms in generation 2, is released, and goes on."""
    checkpoints = [{"kind": "checkpoint", "trip": trip} for trip in range(4)]
    return [
        *(lease(0), checkpoints[0]),
        *(lease(1), *looked(1, 0.5, 0.5), checkpoints[1]),
        *(lease(2), *looked(2, 1.0, 0.0), FOR_LIFE, EARLY, checkpoints[2]),
        *(lease(2), lease(3), *looked(3, 0.5, 0.5), checkpoints[3]),
    ]


def audited(leaves: list[dict[str, Any]]) -> DriftAudit:
    found = DriftAudit(read_thresholds([]))
    for leaf in leaves:
        found.take(leaf)
    return found


def test_drift_alarms_are_computed_again() -> None:
    assert audited(drifting()).line() == "drift: 96 sealed looks, 2 alarms: the same"


@pytest.mark.parametrize(
    "change",
    [
        lambda leaves: leaves.remove(FOR_LIFE),
        lambda leaves: leaves.insert(3, FOR_LIFE),
        lambda leaves: leaves.__setitem__(leaves.index(EARLY), {**EARLY, "reason": "another"}),
        lambda leaves: leaves[LATER + 1].__setitem__("looks", [["0.5", "0.5"]] * 32),
        lambda leaves: leaves[LATER + 1].__setitem__("looks", [["1.0", "0.0"]] * 31),
        lambda leaves: leaves[LATER].__setitem__("items", [f"{at}/1" for at in range(32)]),
    ],
)
def test_a_drift_record_that_was_changed_is_found(change: Any) -> None:
    leaves = drifting()
    change(leaves)
    with pytest.raises(OversightError):
        audited(leaves)


def test_a_resume_goes_back_to_its_checkpoint() -> None:
    """What was looked at after the checkpoint is looked at again, under the same names."""
    again = [*drifting()[: LATER + 2], lease(1), *drifting()[LATER - 1 :]]
    assert audited(again).line() == "drift: 128 sealed looks, 2 alarms: the same"
    without = [leaf for leaf in again if leaf != {"kind": "checkpoint", "trip": 1}]
    assert "is missing" in audited(without).line()


def test_an_alarm_of_the_journal_is_in_the_ledger() -> None:
    said = Alarmed(generation=1, trigger="kl", level=2, reason="KL is 6")
    reported = {"kind": "alarm", "trigger": "kl", "level": 2, "reason": "KL is 6"}
    begun = [{"kind": "founding", "founding": {"start": "start", "quorum": 1, "grade": "A"}}]
    assert audit([*begun, lease(1), reported, lease(2)], [said])
    with pytest.raises(OversightError, match="is not in the ledger"):
        audit([*begun, lease(1), lease(2)], [said])
    assert audit([*begun, lease(1)], [said])  # the run ended there
