"""What the brake asks of a claim before a candidate becomes champion, and of an order before it is lowered.

Each function checks one thing against the brake's state and raises BrakedError where it does not hold.
"""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.errors import BrakedError, OversightError
from autotelic.oversee.bodies import LEVELS, STOP, Claim, Lease, Order, Recall, Review
from autotelic.oversee.ledgered import BrakeState
from autotelic.oversee.permits import Trust, approving
from autotelic.oversee.signed import Signed


def check_fence(claim: Claim, lease: Lease, leased: Signed, state: BrakeState) -> None:
    """The lease is the newest. An older one may be in the hands of a trainer that was only suspended."""
    if claim.lease != leased.digest or claim.epoch != lease.epoch:
        raise OversightError("the claim is under another lease than the one given", "give the lease in force")
    if lease.epoch != state.epoch:
        raise BrakedError(
            f"the lease is of epoch {lease.epoch}, and epoch {state.epoch} is in force",
            "another trainer has taken the run over, or the brake was set: this one ends",
        )


def check_unused(lease: Lease, state: BrakeState) -> None:
    """A lease gives one certificate."""
    if lease.epoch <= state.used:
        raise BrakedError("this lease was used for a certificate already", "ask for a new lease")


def check_succession(claim: Claim, lease: Lease, state: BrakeState) -> None:
    """Compare and swap: from this champion, in this generation, and from no other."""
    now = (state.champion.candidate, state.generation)
    if (claim.parent, claim.generation) != now or (lease.parent, lease.generation) != now:
        raise BrakedError(
            f"the champion is {now[0]} in generation {now[1]}, and the claim is from {claim.parent} in "
            f"{claim.generation}",
            "compare the candidate with the champion of now",
        )


def check_new(claim: Claim, state: BrakeState) -> None:
    """The candidate was neither revoked nor certified before."""
    if claim.candidate in state.revoked:
        raise BrakedError(f"the weights {claim.candidate} were revoked", "train others")
    if any(claim.candidate == crowned.candidate for crowned in state.trail):
        raise BrakedError(f"the weights {claim.candidate} are certified already", "claim others")


def refusals_in(reviews: Sequence[Signed], state: BrakeState, trust: Trust) -> list[str]:
    """Refusals that the brake does not remember yet: `auditor candidate generation`."""
    found: dict[str, None] = {}
    for signed in reviews:
        try:
            review = Review.opened(signed, *trust.of_role("auditor"))
        except OversightError:
            continue
        if review.verdict == "refuse" and (review.run, review.charter) == (state.run, state.charter):
            found[f"{signed.name} {review.candidate} {review.generation}"] = None
    return [line for line in found if line not in state.refusals]


def check_quorum(
    claim: Claim, reviews: Sequence[Signed], state: BrakeState, trust: Trust
) -> tuple[Signed, ...]:
    """The approvals of enough different auditors, none of whom ever refused this candidate in this generation."""
    counted = approving(reviews, claim, trust)
    suffix = f" {claim.candidate} {claim.generation}"
    refused = {line.removesuffix(suffix) for line in state.refusals if line.endswith(suffix)}
    names = sorted(set(counted) - refused)
    if len(names) < trust.quorum:
        said = f" ({', '.join(sorted(refused))} refused)" if refused else ""
        raise BrakedError(
            f"{len(names)} auditors approve, and {trust.quorum} are needed{said}",
            "training goes on; claim a later candidate",
        )
    return tuple(counted[name] for name in names)


def check_orders(orders: Sequence[Signed], state: BrakeState, trust: Trust) -> tuple[int, str, str]:
    """The level that enough humans order, who they are, and why. From 3 up two of them order the same."""
    found = {signed.name: Order.opened(signed, *trust.of_role("human")) for signed in orders}
    wanted = {(order.run, order.level, order.change) for order in found.values()}
    needed = 2 if state.level >= STOP else 1
    if len(found) < needed or len(wanted) != 1:
        raise BrakedError(
            f"{len(found)} humans order it, and {needed} are needed to lower the brake from {state.level}",
            "give the same order with the keys of different humans",
        )
    ((run, level, change),) = wanted
    if (run, change) != (state.run, state.changes):
        raise BrakedError(
            f"the order is for change {change} of the run {run}, and {state.changes} is the last of {state.run}",
            "sign a new order",
        )
    check_level(level)
    if level >= state.level:
        raise BrakedError(f"the brake is at {state.level}, no higher", "`autotelic brake set` raises it")
    return level, ", ".join(sorted(found)), found[min(found)].reason


def check_recall(order: Signed, state: BrakeState, trust: Trust) -> tuple[str, str]:
    """Who takes the champion back, and why. One human is enough: it only raises the brake."""
    recall = Recall.opened(order, *trust.of_role("human"))
    wanted, now = (
        (recall.run, recall.champion, recall.change),
        (state.run, state.champion.candidate, state.changes),
    )
    if wanted != now:
        raise BrakedError(
            f"the order takes back {recall.champion} at change {recall.change}, and the champion is "
            f"{state.champion.candidate} at change {state.changes}",
            "sign a new order",
        )
    return order.name, recall.reason


def check_level(level: int) -> None:
    """Raise OversightError for a level that there is none of."""
    if not 0 <= level < len(LEVELS):
        raise OversightError(f"there is no level {level} of the brake", f"give 0 to {len(LEVELS) - 1}")
