"""Is a candidate better than the certified weights, so surely that it may take their place?

Working weights go on training without any test. A champion is certified: a bet on "the candidate is no
better" has to lose 1/alpha. Champion and candidate answer the same fresh items, several sampled answers each.

- The bet of an item is D, the candidate's pass share minus the champion's. Items of one program depend on
  each other, so their mean is one bet.
- The e-value is the mean over fractions L of the product of 1 + L * D over programs. Where the candidate is no
  better, no factor has a mean above 1, so the e-value reaches 1/alpha with probability at most alpha
  (Waudby-Smith and Ramdas 2024, arXiv:2010.09686).
- Gate k has alpha_k = alpha / G, for the G gates that the charter plans, and the alpha of gate k - 1 too where
  that one certified (online fallback; Tian and Ramdas 2021, arXiv:1910.04900). The chance of any false
  certificate in the run is then at most alpha.
- Where a round of items speaks for the candidate and is not yet enough, another round asks other programs, up to
  `rounds` of them. An e-value may be looked at whenever one likes: the product goes on, and the chance stays.
- Roll-back is the same test with the sign turned and an alpha of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autotelic.errors import OversightError
from autotelic.oversee.checks import is_count, is_number, is_outcome, is_probability
from autotelic.oversee.recorded import agree

FRACTIONS = (0.1, 0.2, 0.35, 0.5, 0.7)
"""Shares of the money that are bet on each program, in equal parts. Below 1, so that none loses everything."""
ALPHA = 0.05
"""The chance of any false certificate in a run, and of any false roll-back."""
ITEMS = 200
"""Items of a gate. With 4 answers each, a gain of 10 points is then certified at nearly every gate."""
ANSWERS = 4
"""Sampled answers an item, of both weights."""
ROUNDS = 3
"""Rounds of items of a gate at most. Late in a run a gate finds some 5 points more, which 200 items rarely show."""
PROMISING = 2.0
"""The evidence of being better from which another round is worth its time."""
FORMAT = 2
"""The version of the state's layout."""

Outcome = Literal["certify", "roll back", "train on"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedItem:
    """One item and what became of it: the outcomes of the sampled answers of both weights, from 0 to 1.

    `item` is its digest, `program` that of what it is about: items of one program are one bet.
    """

    item: str
    program: str
    champion: tuple[float, ...]
    candidate: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GateRuling:
    """What gate `gate`, from 1, decided, with all numbers that decided it. A record for the ledger.

    `gain` is the mean over programs of the candidate's pass share minus the champion's.
    """

    gate: int
    outcome: Outcome
    reason: str
    items: int
    programs: int
    gain: float
    e_better: float
    alpha_better: float
    e_worse: float
    alpha_worse: float


# ── the test ──────────────────────────────────────────────────────────────────────────────────────────────


def log_e_value(differences: ArrayLike) -> NDArray[np.float64]:
    """The logarithm of the e-value against "the mean difference is at most 0": [..., N] to [...].

    Differences are independent and in [-1, 1], one a program.
    """
    difference = np.asarray(differences, dtype=np.float64)
    log_F = np.stack([np.log1p(fraction * difference).sum(axis=-1) for fraction in FRACTIONS], axis=-1)
    top = log_F.max(axis=-1)
    return np.asarray(top + np.log(np.exp(log_F - top[..., None]).mean(axis=-1)), dtype=np.float64)


def e_value(differences: ArrayLike) -> float:
    """The e-value of one list of differences; 1 for none."""
    return math.exp(min(700.0, float(log_e_value(differences))))


def program_differences(items: Sequence[PairedItem]) -> list[float]:
    """The bet of each program, in the order of their names: the mean of its items' differences.

    Raises OversightError for an item twice, without answers, with other numbers of answers, or with outcomes
    that are not from 0 to 1.
    """
    by_program: dict[str, list[float]] = {}
    seen: set[str] = set()
    for item in items:
        if item.item in seen:
            raise OversightError(f"item {item.item[:40]} is in the evidence twice", "give each item once")
        seen.add(item.item)
        if not item.candidate or len(item.candidate) != len(item.champion):
            raise OversightError(
                f"item {item.item[:40]} has {len(item.candidate)} answers of the candidate and "
                f"{len(item.champion)} of the champion",
                "give as many of both, at least one",
            )
        for outcome in (*item.candidate, *item.champion):
            if not is_outcome(outcome):
                raise OversightError(
                    f"an outcome of item {item.item[:40]} is {outcome!r}", "give numbers from 0 to 1"
                )
        difference = math.fsum(item.candidate) / len(item.candidate) - math.fsum(item.champion) / len(
            item.champion
        )
        by_program.setdefault(item.program, []).append(difference)
    return [math.fsum(by_program[name]) / len(by_program[name]) for name in sorted(by_program)]


# ── its alpha over a run ──────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class AlphaPlan:
    """An alpha shared out among `gates` planned gates, and what was used of it. Frozen: `after` gives the next.

    `used` gates are behind; `carried` is the alpha of the last one where its hypothesis was rejected, else 0.
    """

    alpha: float
    gates: int
    used: int = 0
    carried: float = 0.0

    def __post_init__(self) -> None:
        if not is_probability(self.alpha):
            raise OversightError(f"alpha of certificates is {self.alpha!r}", "give a number between 0 and 1")
        if not is_count(self.gates, 1):
            raise OversightError(f"{self.gates!r} gates are planned", "give a whole number above 0")
        if not (
            is_count(self.used) and is_number(self.carried) and 0 <= self.carried <= self.alpha * (1 + 1e-9)
        ):
            raise OversightError(
                f"the alpha of {self.used} gates carries {self.carried!r}",
                "resume from the ledger's last state",
            )

    @property
    def level(self) -> float:
        """The alpha of the gate that comes next; 0 after the last planned one, unless that one rejected."""
        fresh = self.alpha / self.gates if self.used < self.gates else 0.0
        return fresh + self.carried

    def after(self, *, rejected: bool) -> AlphaPlan:
        """The plan after a gate. What a rejection used comes back to the next gate."""
        return replace(self, used=self.used + 1, carried=self.level if rejected else 0.0)


# ── one run ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificatePlan:
    """What a charter fixes before the first gate: items of a round, answers of each item.

    A gate has one round, and up to `rounds` while they are promising (`Certifier.goes_on`). `gates` are planned in
    all. `alpha` bounds the chance of any false certificate in the run, `alpha_roll_back` that of any false roll-back.
    """

    gates: int
    items: int = ITEMS
    answers: int = ANSWERS
    alpha: float = ALPHA
    alpha_roll_back: float = ALPHA
    rounds: int = ROUNDS

    def __post_init__(self) -> None:
        if not (is_count(self.items, 1) and is_count(self.answers, 1) and is_count(self.rounds, 1)):
            raise OversightError(
                f"a gate of {self.rounds!r} rounds of {self.items!r} items with {self.answers!r} answers",
                "give at least one of each",
            )
        AlphaPlan(alpha=self.alpha, gates=self.gates)
        AlphaPlan(alpha=self.alpha_roll_back, gates=self.gates)


class Certifier:
    """The gates of one run. `review` decides one; `state` and `resume` carry the rest as JSON.

    Each review is of fresh items, drawn when candidate and certified weights were both fixed. That the items
    were fresh and the outcomes true is not seen here; the exam auditor signs for it.
    """

    def __init__(self, plan: CertificatePlan) -> None:
        self.plan = plan
        self.better = AlphaPlan(alpha=plan.alpha, gates=plan.gates)
        self.worse = AlphaPlan(alpha=plan.alpha_roll_back, gates=plan.gates)

    def review(self, items: Sequence[PairedItem]) -> GateRuling:
        """Certify the candidate, roll back to the certified weights, or train on.

        Raises OversightError, and uses nothing up, for evidence that is not what the plan says.
        """
        size = self.plan.items
        if not items or len(items) % size:
            raise OversightError(
                f"{len(items)} items at a gate of {size}", "give all items of the gate, failed ones as 0"
            )
        if not all(self.goes_on(items[:end]) for end in range(size, len(items), size)):
            raise OversightError(
                f"{len(items)} items at a gate that an earlier round had decided",
                f"end a gate with the round that decides it, at the latest with round {self.plan.rounds}",
            )
        other = next((item for item in items if len(item.candidate) != self.plan.answers), None)
        if other is not None:
            raise OversightError(
                f"{len(other.candidate)} answers to item {other.item[:40]} where {self.plan.answers} are planned",
                "give all answers, unfinished ones as 0",
            )
        ruling = ruling_of(items, self.better, self.worse)
        self.better = self.better.after(rejected=ruling.outcome == "certify")
        self.worse = self.worse.after(rejected=ruling.outcome == "roll back")
        return ruling

    def goes_on(self, items: Sequence[PairedItem]) -> bool:
        """Whether another round of items is worth asking, about other programs. Uses nothing up."""
        if len(items) >= self.plan.items * self.plan.rounds or self.better.level <= 0:
            return False
        ruling = ruling_of(items, self.better, self.worse)
        return ruling.outcome == "train on" and ruling.e_better >= PROMISING

    def state(self) -> dict[str, Any]:
        """Everything, as JSON."""
        parts = {"plan": asdict(self.plan), "better": asdict(self.better), "worse": asdict(self.worse)}
        return {"format": FORMAT, "fractions": list(FRACTIONS), **parts}

    @classmethod
    def resume(cls, plan: CertificatePlan, state: Mapping[str, Any]) -> Certifier:
        """The certifier as it was. Raises OversightError for a state of another plan, or one that is damaged."""
        found = cls(plan)
        try:
            if (state["format"], state["plan"], state["fractions"]) != (
                FORMAT,
                asdict(plan),
                list(FRACTIONS),
            ):
                raise OversightError(
                    "the state of certificates was made under another plan",
                    "resume with the plan of the charter that began it",
                )
            better, worse = AlphaPlan(**state["better"]), AlphaPlan(**state["worse"])
        except (KeyError, TypeError, ValueError) as error:
            raise OversightError(
                f"the state of certificates is damaged: {error!r}", "resume from the ledger's last state"
            ) from None
        for name, old, new in (("better", found.better, better), ("worse", found.worse, worse)):
            if (old.alpha, old.gates) != (new.alpha, new.gates) or better.used != worse.used:
                raise OversightError(
                    f"the state of certificates has another alpha for {name!r}",
                    "resume from the ledger's last state",
                )
        found.better, found.worse = better, worse
        return found


def ruling_of(items: Sequence[PairedItem], better: AlphaPlan, worse: AlphaPlan) -> GateRuling:
    """What a gate decides: a pure function of the recorded outcomes and of what is left of both alphas."""
    difference_N = np.array(program_differences(items))
    e_better, e_worse = e_value(difference_N), e_value(-difference_N)
    # Both cannot hold: each needs a sum of differences of its own sign, because log(1 + x) <= x.
    if better.level > 0 and e_better >= 1 / better.level:
        outcome: Outcome = "certify"
    elif worse.level > 0 and e_worse >= 1 / worse.level:
        outcome = "roll back"
    else:
        outcome = "train on"
    return _with_reason(
        GateRuling(
            gate=better.used + 1,
            outcome=outcome,
            reason="",
            items=len(items),
            programs=len(difference_N),
            gain=float(difference_N.mean()) if len(difference_N) else 0.0,
            e_better=e_better,
            alpha_better=better.level,
            e_worse=e_worse,
            alpha_worse=worse.level,
        )
    )


def _with_reason(ruling: GateRuling) -> GateRuling:
    """The ruling with its reason, a line that follows from its numbers."""
    found = f"on {ruling.items} fresh items of {ruling.programs} programs the gain is {100 * ruling.gain:+.1f} points"
    back = ruling.outcome == "roll back"
    what, e = ("worse", ruling.e_worse) if back else ("better", ruling.e_better)
    alpha = ruling.alpha_worse if back else ruling.alpha_better
    if alpha <= 0:
        return replace(
            ruling, reason=f"{found}; the planned gates are used up, so nothing more can be certified"
        )
    sign = "<" if ruling.outcome == "train on" else ">="
    asked = f"the evidence of being {what} is {e:.4g} {sign} {1 / alpha:.4g} (alpha {alpha:.3g})"
    return replace(ruling, reason=f"{found}; {asked}")


def replay_gates(
    plan: CertificatePlan, gates: Sequence[tuple[Sequence[PairedItem], GateRuling]]
) -> Certifier:
    """Every decision computed again from recorded outcomes, in order.

    Raises OversightError at the first recorded ruling that says something else than what comes out.
    """
    certifier = Certifier(plan)
    for items, recorded in gates:
        computed = certifier.review(items)
        if not agree(recorded, computed, but=("reason",)) or recorded != _with_reason(recorded):
            raise OversightError(
                f"gate {recorded.gate} is recorded as {recorded.outcome!r} ({recorded.reason}); computed again it is "
                f"{computed.outcome!r} ({computed.reason})",
                "the record was changed, or another version of the engine wrote it",
            )
    return certifier
