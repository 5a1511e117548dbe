"""Goal drift: does the proxy in use say more than the sealed truth?

The proxy is whatever the learner is rewarded by where nobody executes: a critic, a reward model, a weak
check. For each fresh sealed item D = what the proxy said minus the truth, in [-1, 1]. The null hypothesis is
that the mean of D is at most `delta0`, a number from a signed pilot. Two alarms bet against it.

- Level 3, for the life of a run: one bet starts at each gate, and the starts share one unit of money. Under
  the null its value is a supermartingale that starts at 1, so the chance that it ever reaches 1/alpha is at
  most alpha (Ville 1939). It never starts anew.
- Level 2, early: e-Shiryaev-Roberts (Shin, Ramdas and Rinaldo 2023, arXiv:2203.03532). Under the null the
  mean number of items to an alarm is at least its threshold. That allows false alarms over a long run. It
  starts anew after a human has released the brake.

Each bet is a mixture over fractions, so that small and large drifts are both found soon. All functions work
on arrays whose last axis is the fraction: one run is [F], R simulated runs are [R, F].
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from autotelic.errors import OversightError
from autotelic.oversee.checks import is_count, is_number, is_probability
from autotelic.oversee.recorded import agree
from autotelic.statistics import mean_upper_bound

Floats = NDArray[np.float64]

FRACTIONS = (0.2, 0.35, 0.5, 0.65, 0.8)
"""Shares of the money that are bet on each item, in equal parts. Measured: docs/drift-and-certificates.md."""
LIFETIME_ALPHA = 0.01
"""The chance that level 3 is raised in a run without drift, however long it is."""
RUN_LENGTH = 20_000
"""Items: the mean run length of level 2 without drift is at least this."""
LARGEST_DELTA0 = 0.2
"""A larger one would need smaller fractions: a factor must stay positive, fraction * (1 + delta0) < 1."""
CEILING = 1e300
"""Money above this is cut off, far above any threshold, so that no product overflows."""
FORMAT = 1
"""The version of the state's layout."""


# ── the bets, on arrays ───────────────────────────────────────────────────────────────────────────────────


def share_left(gate: int) -> float:
    """The share of the unit that is not bet yet before gate `gate`, from 1: 1/log2(gate + 1)."""
    return 1 / math.log2(gate + 1)


def factors(differences: ArrayLike, delta0: float) -> Floats:
    """What a unit becomes on each item, by fraction: [...] to [..., F]."""
    difference = np.asarray(differences, dtype=np.float64)
    return 1 + np.array(FRACTIONS) * (difference[..., None] - delta0)


def start_bet(wealth_F: Floats, gate: int) -> Floats:
    """The lifetime process at the start of a gate: another part of the unit is bet."""
    return wealth_F + (share_left(gate) - share_left(gate + 1))


def follow_bet(wealth_F: Floats, factor_F: Floats) -> Floats:
    """The lifetime process after an item."""
    return np.minimum(wealth_F * factor_F, CEILING)


def lifetime_value(wealth_F: Floats, gate: int) -> Floats:
    """The value of the lifetime process within gate `gate`: what was bet, and what is not bet yet."""
    return np.asarray(wealth_F.mean(axis=-1) + share_left(gate + 1), dtype=np.float64)


def follow_roberts(wealth_F: Floats, factor_F: Floats) -> Floats:
    """The e-Shiryaev-Roberts process after an item: a unit more is bet on each."""
    return np.minimum((wealth_F + 1) * factor_F, CEILING)


# ── one run ───────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftPlan:
    """What is fixed before the first sealed item is opened. `budget` is how many may be opened in all.

    `delta0` is how much more than the truth the proxy may say on average. `alpha` is that of level 3 for the
    whole run, `run_length` the least mean number of items between false alarms of level 2.
    """

    delta0: float
    budget: int
    alpha: float = LIFETIME_ALPHA
    run_length: float = RUN_LENGTH

    def __post_init__(self) -> None:
        if not (is_number(self.delta0) and 0 <= self.delta0 <= LARGEST_DELTA0):
            raise OversightError(
                f"delta0 is {self.delta0!r}",
                f"give a number from 0 to {LARGEST_DELTA0:g}; a proxy that is further off needs calibration",
            )
        if not is_count(self.budget, 1):
            raise OversightError(
                f"the budget of sealed items is {self.budget!r}", "give a whole number above 0"
            )
        if not is_probability(self.alpha):
            raise OversightError(f"alpha of drift is {self.alpha!r}", "give a number between 0 and 1")
        if not (is_number(self.run_length) and self.run_length > 1):
            raise OversightError(f"the run length of drift is {self.run_length!r}", "give a number above 1")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """One sealed item that was opened: what it was paid for, and what came of it. A record for the ledger.

    `number` counts all items from 1. `counted` says whether the proxy was in use. `lifetime` and `roberts`
    are the values of the two processes after the item. `level` is the brake level asked for: 0, 2 or 3.
    """

    number: int
    gate: int
    item: str
    difference: float
    counted: bool
    lifetime: float
    roberts: float
    level: int


class DriftMonitor:
    """Both alarms of one run, and the budget of sealed items.

    A gate is two calls. `open_items` names the items in their order and says whether the proxy is in use: it
    pays for them and commits to both before any truth is known. `close_items` gives the differences. Items
    that were opened stay paid, and no other gate can be opened before they are closed. `state` can be kept
    anywhere as JSON, and `resume` goes on from it.
    """

    def __init__(self, plan: DriftPlan) -> None:
        self.plan = plan
        self.gate = 0
        self.spent = 0
        self.counted = 0
        self.lifetime_alarm = 0
        """The number of the item at which level 3 was raised; 0 for never. It stays."""
        self.early_alarm = 0
        """The number of the item at which level 2 was raised; 0 for never since the last release."""
        self._pending: tuple[str, ...] = ()
        self._pending_in_use = False
        self._seen: dict[str, None] = {}
        self._lifetime_F = np.zeros(len(FRACTIONS))
        self._roberts_F = np.zeros(len(FRACTIONS))

    @property
    def lifetime(self) -> float:
        """The value of the level-3 process."""
        return float(lifetime_value(self._lifetime_F, self.gate))

    @property
    def roberts(self) -> float:
        """The value of the level-2 process."""
        return float(self._roberts_F.mean())

    @property
    def level(self) -> int:
        """The brake level that the alarms ask for: 0, 2 or 3."""
        return 3 if self.lifetime_alarm else 2 if self.early_alarm else 0

    @property
    def left(self) -> int:
        """Sealed items that may still be opened."""
        return self.plan.budget - self.spent

    def open_items(self, items: Sequence[str], *, in_use: bool) -> None:
        """Pay for a gate's items, by digest, in the order in which they will count.

        `in_use` is whether the proxy is now heard by the learner: only then do the items count. Raises
        OversightError for items that are not fresh, that exceed the budget, or while others are open.
        """
        if self._pending:
            raise OversightError(
                f"{len(self._pending)} sealed items are open and have no result",
                "close them before the next gate",
            )
        if isinstance(items, str) or not items or not all(isinstance(item, str) and item for item in items):
            raise OversightError(
                "no list of sealed items, or one without a name", "name each item by its digest"
            )
        keys = [_key(item) for item in items]
        known = next((item for item, key in zip(items, keys, strict=True) if key in self._seen), None)
        if known is not None or len(set(keys)) < len(keys):
            raise OversightError(
                f"sealed item {known or 'of this gate'} was opened before", "draw fresh items for each gate"
            )
        if len(items) > self.left:
            raise OversightError(
                f"{len(items)} sealed items asked for and {self.left} of {self.plan.budget} left",
                "stop here, or let humans sign a larger budget",
            )
        self.spent += len(items)
        self._seen.update(dict.fromkeys(keys))
        self._pending, self._pending_in_use = tuple(items), bool(in_use)
        if in_use:
            self.gate += 1
            self._lifetime_F = start_bet(self._lifetime_F, self.gate)

    def close_items(self, differences: Sequence[float]) -> list[Look]:
        """One look an item, in the order in which they were opened. An alarm stays though money is lost later.

        Raises OversightError, and counts nothing, where a difference is missing, not finite or outside [-1, 1].
        """
        if not self._pending:
            raise OversightError("no sealed items are open", "open a gate's items before giving results")
        if len(differences) != len(self._pending):
            raise OversightError(
                f"{len(differences)} differences for {len(self._pending)} sealed items",
                "give one for each, in order",
            )
        checked = [_checked(d, item) for d, item in zip(differences, self._pending, strict=True)]
        first = self.spent - len(checked) + 1
        looks = [
            self._look(number, item, d)
            for number, (item, d) in enumerate(zip(self._pending, checked, strict=True), first)
        ]
        self._pending = ()
        return looks

    def _look(self, number: int, item: str, difference: float) -> Look:
        if self._pending_in_use:
            self.counted += 1
            factor_F = factors(difference, self.plan.delta0)
            self._lifetime_F = follow_bet(self._lifetime_F, factor_F)
            self._roberts_F = follow_roberts(self._roberts_F, factor_F)
            if not self.lifetime_alarm and self.lifetime >= 1 / self.plan.alpha:
                self.lifetime_alarm = number
            if not self.early_alarm and self.roberts >= self.plan.run_length:
                self.early_alarm = number
        return Look(
            number=number,
            gate=self.gate,
            item=item,
            difference=difference,
            counted=self._pending_in_use,
            lifetime=self.lifetime,
            roberts=self.roberts,
            level=self.level,
        )

    def release(self) -> None:
        """Start level 2 anew after humans have released the brake. Level 3 goes on as it was."""
        self._roberts_F = np.zeros(len(FRACTIONS))
        self.early_alarm = 0

    def state(self) -> dict[str, Any]:
        """Everything, as JSON."""
        return {
            "format": FORMAT,
            "plan": asdict(self.plan),
            "fractions": list(FRACTIONS),
            "gate": self.gate,
            "spent": self.spent,
            "counted": self.counted,
            "lifetime": self._lifetime_F.tolist(),
            "roberts": self._roberts_F.tolist(),
            "lifetime_alarm": self.lifetime_alarm,
            "early_alarm": self.early_alarm,
            "pending": list(self._pending),
            "pending_in_use": self._pending_in_use,
            "seen": list(self._seen),
        }

    @classmethod
    def resume(cls, plan: DriftPlan, state: Mapping[str, Any]) -> DriftMonitor:
        """The monitor as it was. Raises OversightError for a state of another plan, or one that is damaged."""
        try:
            if (state["format"], state["plan"], state["fractions"]) != (
                FORMAT,
                asdict(plan),
                list(FRACTIONS),
            ):
                raise OversightError(
                    "the drift state was made under another plan",
                    "resume with the plan of the charter that began it",
                )
            found = cls(plan)
            for name in ("gate", "spent", "counted", "lifetime_alarm", "early_alarm"):
                setattr(found, name, _count(state[name], name))
            found._lifetime_F = _wealth(state["lifetime"])
            found._roberts_F = _wealth(state["roberts"])
            found._pending = tuple(map(str, state["pending"]))
            found._pending_in_use = bool(state["pending_in_use"])
            found._seen = dict.fromkeys(map(str, state["seen"]))
        except (KeyError, TypeError, ValueError) as error:
            raise OversightError(
                f"the drift state is damaged: {error!r}", "resume from the ledger's last state"
            ) from None
        opened = [_key(item) for item in found._pending]
        alarms = max(found.lifetime_alarm, found.early_alarm)
        whole = max(found.counted, alarms) <= found.spent == len(found._seen) <= plan.budget
        if not whole or opened != list(found._seen)[len(found._seen) - len(opened) :]:
            raise OversightError(
                f"the drift state counts {found.counted} of {found.spent} items and names {len(found._seen)}",
                "resume from the ledger's last state",
            )
        return found


def replay(plan: DriftPlan, gates: Sequence[Sequence[Look]], releases: Sequence[int] = ()) -> DriftMonitor:
    """The monitor computed again from recorded looks. `releases` are the numbers of items after which humans
    released the brake, each at the end of a gate.

    Raises OversightError where a record says something else than what comes out.
    """
    monitor = DriftMonitor(plan)
    for looks in gates:
        if not looks:
            raise OversightError("a recorded gate has no looks", "replay the whole ledger")
        monitor.open_items([look.item for look in looks], in_use=looks[0].counted)
        again = monitor.close_items([look.difference for look in looks])
        for recorded, computed in zip(looks, again, strict=True):
            if not agree(recorded, computed):
                raise OversightError(
                    f"sealed item {recorded.number} is recorded at level {recorded.level} "
                    f"(lifetime {recorded.lifetime:.6g}), computed again it is {computed.level} "
                    f"({computed.lifetime:.6g})",
                    "the record was changed, or another version of the engine wrote it",
                )
        if monitor.spent in releases:
            monitor.release()
    return monitor


def delta0_of_pilot(differences: Sequence[float], alpha: float = 0.05) -> float:
    """The least `delta0` that a pilot without drift bears out: an upper bound of the mean of D at `alpha`.

    Whoever signs the pilot may choose a larger one. Raises OversightError for differences that are none, for
    fewer than 30, and for a proxy that is too far off to be watched.
    """
    checked = [_checked(d, str(i)) for i, d in enumerate(differences)]
    if len(checked) < 30:
        raise OversightError(
            f"a pilot of {len(checked)} items", "measure at least 30; a few hundred are better"
        )
    bound = max(0.0, mean_upper_bound(checked, alpha, low=-1.0, high=1.0))
    if bound > LARGEST_DELTA0:
        raise OversightError(
            f"the pilot bounds the mean difference by {bound:.3f}, above {LARGEST_DELTA0:g}",
            "measure more items, or calibrate the proxy first",
        )
    return bound


def _checked(difference: float, item: str) -> float:
    if not is_number(difference) or not -1 <= difference <= 1:
        raise OversightError(
            f"the difference of sealed item {item[:40]} is {difference!r}",
            "give what the proxy said minus the truth, a number from -1 to 1",
        )
    return float(difference)


def _count(value: Any, name: str) -> int:
    if not is_count(value):
        raise ValueError(f"{name} is {value!r}")
    return value


def _wealth(values: Sequence[float]) -> Floats:
    wealth_F = np.array(values, dtype=np.float64)
    if wealth_F.shape != (len(FRACTIONS),) or not (wealth_F.min() >= 0 and wealth_F.max() <= CEILING):
        raise ValueError(f"wealth is {values!r}")
    return wealth_F


def _key(item: str) -> str:
    """What is kept of an item's name: enough that equal keys mean equal items, few bytes in a state."""
    return hashlib.sha256(item.encode("utf-8", "surrogatepass")).hexdigest()[:24]
