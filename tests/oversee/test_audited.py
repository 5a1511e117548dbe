"""Every decision computed again from a ledger's leaves: the honest ones pass, each changed one is named."""

from __future__ import annotations

import copy
import hashlib
from collections.abc import Callable
from typing import Any

import pytest

from autotelic.charter import Charter
from autotelic.errors import OversightError
from autotelic.messages import Decided, Leased
from autotelic.oversee.audited import audit, items_in, ruling_in
from autotelic.oversee.auditors import gate_leaf
from autotelic.oversee.bodies import Claim
from autotelic.oversee.certify import Certifier, PairedItem
from autotelic.oversee.shipped import plan_of
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
        found.append({"kind": "lease", "lease": {"epoch": epoch, "parent": "start"}})
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
    assert said[-1].startswith("champion two, certified in generation 0")


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
