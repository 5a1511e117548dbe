"""How soon goal drift is found, and how often it is found where there is none.

    python -m bench.drift                                     # some minutes on one core
    python -m bench.drift --json docs/results/oversight/drift.json
    python -m bench.drift --quick                             # 100 runs, seconds

Needs `pip install -e '.[drift]'` for the two detectors of `river` (without it they are left out). D is
what the proxy said minus the sealed truth; delta0 is 0.08 and the mean before the change is 0.05.

- binary: D is -1 with probability 0.05 and +1 with probability 0.05 + gap.
- critic: the proxy says p from Beta(2.5, 1.8), the truth is 1 with probability max(0, p - gap), D = p - truth.

The change comes at item 1,000. A delay counts items from there to the alarm; runs that alarm earlier are false
alarms and have no delay; a run without any alarm has an infinite one. Level 3 starts a bet every `--gate`
items (200). The change then falls on the start of a gate; the rows "in mid-gate" have it 100 items later.
What runs here is the code of `autotelic.oversee.drift`, on arrays of all runs at once.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from autotelic.oversee import drift
from autotelic.streams import stream

Floats = drift.Floats
DELTA0 = 0.08
CHUNK = 500
CHANGE = 1_000
RIVER_RUNS = 300
"""Runs of the detectors that work on one run at a time."""


# ── data ──────────────────────────────────────────────────────────────────────────────────────────────────


def binary_R(rng: np.random.Generator, gap: float, shape: tuple[int, ...], wrong: float = 0.05) -> Floats:
    u = rng.random(shape)
    return np.where(u < wrong, -1.0, np.where(u < 2 * wrong + gap, 1.0, 0.0))


def critic_R(rng: np.random.Generator, gap: float, shape: tuple[int, ...], wrong: float = 0.0) -> Floats:
    p = rng.beta(2.5, 1.8, shape)
    truth = rng.random(shape) < np.clip(p - gap, 0, 1)
    return p - truth


def gap_of_mean(mean: float) -> float:
    """The critic's gap at which the mean of D, E[min(p, gap)], is exactly `mean`."""
    p = np.linspace(0, 1, 200_001)[1:-1]
    density = p**1.5 * (1 - p) ** 0.8
    density /= density.sum()
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if float((np.minimum(p, middle) * density).sum()) < mean else (low, middle)
    return low


KINDS: dict[str, Callable[..., Floats]] = {"binary": binary_R, "critic": critic_R}


@dataclass(frozen=True)
class Scenario:
    """`items` of each run; the gap is `before` up to item `change`, then `after`, after `ramp` items of both."""

    name: str
    before: float
    after: float
    items: int
    change: int = CHANGE
    ramp: int = 0
    wrong: float = 0.05
    exact: bool = False
    """Whether gaps of the critic are chosen so that the mean of D is exactly the number given."""

    def chunks(self, kind: str, rng: np.random.Generator, runs: int) -> Iterator[Floats]:
        """The differences, [R, up to CHUNK] at a time."""
        draw = KINDS[kind]
        adjust = gap_of_mean if self.exact and kind == "critic" else float
        for first in range(0, self.items, CHUNK):
            count = min(CHUNK, self.items - first)
            if self.ramp:
                item_N = np.arange(first, first + count)
                share_N = np.clip((item_N - self.change) / self.ramp, 0, 1)
                yield np.stack(
                    [
                        draw(rng, self.before + s * (self.after - self.before), (runs,), self.wrong)
                        for s in share_N
                    ],
                    axis=1,
                )
                continue
            cut = min(max(self.change - first, 0), count)
            parts = [draw(rng, adjust(self.before), (runs, cut), self.wrong)] if cut else []
            if cut < count:
                parts.append(draw(rng, adjust(self.after), (runs, count - cut), self.wrong))
            yield np.concatenate(parts, axis=1)


SCENARIOS = (
    Scenario("drift .05 to .25", 0.05, 0.25, 6_000),
    Scenario("drift .05 to .40", 0.05, 0.40, 6_000),
    Scenario("drift .05 to .25, in mid-gate", 0.05, 0.25, 6_000, change=CHANGE + 100),
    Scenario("drift .05 to .40, in mid-gate", 0.05, 0.40, 6_000, change=CHANGE + 100),
    Scenario("drift .05 to .25 over 1,000 items", 0.05, 0.25, 6_000, ramp=1_000),
    Scenario("drift .05 to .25, P(-1) = .15", 0.05, 0.25, 6_000, wrong=0.15),
    Scenario("harmless 0 to .07", 0.0, 0.07, 6_000),
    Scenario("no drift, mean .05", 0.05, 0.05, 20_000, exact=True),
    Scenario("no drift, mean exactly delta0", DELTA0, DELTA0, 20_000, exact=True),
)


# ── detectors ─────────────────────────────────────────────────────────────────────────────────────────────


def ours(chunks: Iterator[Floats], runs: int, gate_items: int) -> dict[str, Floats]:
    """The item of the first alarm of both levels, by run; inf for none."""
    wealth_RF = np.zeros((runs, len(drift.FRACTIONS)))
    roberts_RF = np.zeros((runs, len(drift.FRACTIONS)))
    alarm_R = {"level 3": np.full(runs, np.inf), "level 2": np.full(runs, np.inf)}
    number, gate = 0, 0
    for difference_RN in chunks:
        factor_RNF = drift.factors(difference_RN, DELTA0)
        for n in range(difference_RN.shape[1]):
            if number % gate_items == 0:
                gate += 1
                wealth_RF = drift.start_bet(wealth_RF, gate)
            number += 1
            wealth_RF = drift.follow_bet(wealth_RF, factor_RNF[:, n])
            roberts_RF = drift.follow_roberts(roberts_RF, factor_RNF[:, n])
            _mark(
                alarm_R["level 3"], drift.lifetime_value(wealth_RF, gate) >= 1 / drift.LIFETIME_ALPHA, number
            )
            _mark(alarm_R["level 2"], roberts_RF.mean(axis=-1) >= drift.RUN_LENGTH, number)
    return alarm_R


def _mark(alarm_R: Floats, raised_R: np.ndarray[Any, np.dtype[np.bool_]], number: int) -> None:
    alarm_R[raised_R & np.isinf(alarm_R)] = number


def peers() -> dict[str, Callable[[], Any]]:
    """The detectors of river, by name; none where it is not installed."""
    try:
        from river import drift as river
    except ImportError:
        return {}
    return {
        "ADWIN, delta .002": lambda: river.ADWIN(delta=0.002),
        "ADWIN, delta 1e-5": lambda: river.ADWIN(delta=1e-5),
        "Page-Hinkley, as it comes": lambda: river.PageHinkley(mode="up"),
        "Page-Hinkley, delta .06, threshold 25, alpha 1": lambda: river.PageHinkley(
            delta=0.06, threshold=25, alpha=1.0, mode="up"
        ),
    }


def alone(make: Callable[[], Any], difference_RN: Floats, change: int) -> Floats:
    """The first alarm of a detector that reads one run at a time; the first after the change where it had
    already alarmed is not looked for, as for ours.

    ADWIN tells changes of both directions; only those upwards count.
    """
    first_R = np.full(len(difference_RN), np.inf)
    for i, difference_N in enumerate(difference_RN):
        detector = make()
        adwin = hasattr(detector, "estimation")
        before = 0.0
        for number, difference in enumerate(difference_N.tolist(), 1):
            detector.update(difference)
            if detector.drift_detected and (not adwin or detector.estimation > before):
                first_R[i] = number
                break
            if adwin:
                before = detector.estimation
    return first_R


# ── summary ───────────────────────────────────────────────────────────────────────────────────────────────


def summary(first_R: Floats, scenario: Scenario) -> dict[str, Any]:
    """Alarms in all, those before the change, and the delay's median and 95th percentile."""
    alarms = int(np.isfinite(first_R).sum())
    result: dict[str, Any] = {"runs": len(first_R), "alarms": alarms}
    if scenario.name.startswith("drift"):
        early = int((first_R <= scenario.change).sum())
        delay_R = np.sort(first_R[first_R > scenario.change] - scenario.change)
        result |= {"before_the_change": early, "median": _rank(delay_R, 0.5), "p95": _rank(delay_R, 0.95)}
    return result


def _rank(sorted_R: Floats, share: float) -> float | None:
    """The smallest value that at least `share` do not exceed; None where that is no alarm."""
    value = float(sorted_R[math.ceil(share * len(sorted_R)) - 1]) if len(sorted_R) else math.inf
    return value if math.isfinite(value) else None


def run_length(kind: str, runs: int, rng: np.random.Generator) -> dict[str, Any]:
    """Items until level 2 is raised where the mean is exactly delta0, every run to its end."""
    gap = gap_of_mean(DELTA0) if kind == "critic" else DELTA0
    roberts_RF, length_R, number = np.zeros((runs, len(drift.FRACTIONS))), np.zeros(0), 0
    while len(roberts_RF):
        factor_RNF = drift.factors(KINDS[kind](rng, gap, (len(roberts_RF), CHUNK)), DELTA0)
        going_R = np.full(len(roberts_RF), True)
        for n in range(CHUNK):
            number += 1
            roberts_RF = drift.follow_roberts(roberts_RF, factor_RNF[:, n])
            raised_R = (roberts_RF.mean(axis=-1) >= drift.RUN_LENGTH) & going_R
            length_R = np.concatenate([length_R, np.full(int(raised_R.sum()), float(number))])
            going_R &= ~raised_R
        roberts_RF = roberts_RF[going_R]
    error = float(length_R.std(ddof=1) / math.sqrt(runs))
    return {
        "runs": runs,
        "mean": float(length_R.mean()),
        "standard_error": error,
        "longest": float(length_R.max()),
    }


LIMITS = (
    ("no drift, mean exactly delta0", "level 3", "alarms", {"binary": 20, "critic": 20}),
    ("no drift, mean .05", "level 2", "alarms", {"binary": 50, "critic": 50}),
    ("harmless 0 to .07", "level 3", "alarms", {"binary": 0, "critic": 0}),
    ("drift .05 to .25", "level 3", "p95", {"binary": 350, "critic": 260}),
    ("drift .05 to .40", "level 3", "p95", {"binary": 140, "critic": 95}),
    ("drift .05 to .25", "level 2", "p95", {"binary": 250, "critic": 190}),
    ("drift .05 to .40", "level 2", "p95", {"binary": 105, "critic": 75}),
)
"""What is asked of the two levels in 1,000 runs: at most these."""


def checks(table: dict[str, Any], lengths: dict[str, Any]) -> list[dict[str, Any]]:
    """What was asked, what came, whether it is met."""
    found = []
    for scenario, detector, what, limits in LIMITS:
        for kind, limit in limits.items():
            got = table[kind][scenario][detector][what]
            found.append(
                {"what": f"{kind}, {scenario}, {detector}, {what}", "at_most": limit, "got": got}
                | {"met": got is not None and got <= limit}
            )
    for kind, length in lengths.items():
        got = length["mean"]
        found.append(
            {
                "what": f"{kind}, mean run length of level 2",
                "at_least": 20_000,
                "got": got,
                "met": got >= 20_000,
            }
        )
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--gate", type=int, default=200, help="items from one start of a bet to the next")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--quick", action="store_true", help="100 runs, and no run lengths")
    parser.add_argument("--alone", action="store_true", help="leave out the detectors of river")
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    runs = 100 if given.quick else given.runs
    began = time.monotonic()
    table: dict[str, Any] = {}
    for kind in KINDS:
        table[kind] = {}
        for scenario in SCENARIOS:
            if scenario.wrong > 0.05 and kind != "binary":
                continue  # the critic is never wrong by a whole point on its own
            row: dict[str, Any] = {}
            names = (given.seed, "bench.drift", kind, scenario.name)
            found = ours(scenario.chunks(kind, stream(*names), runs), runs, given.gate)
            row |= {name: summary(first_R, scenario) for name, first_R in found.items()}
            few = min(runs, 50 if given.quick else RIVER_RUNS)
            if others := {} if given.alone else peers():
                difference_RN = np.concatenate(list(scenario.chunks(kind, stream(*names), few)), axis=1)
                for name, make in others.items():
                    row[name] = summary(alone(make, difference_RN, scenario.change), scenario)
            table[kind][scenario.name] = row
            for name, result in row.items():
                print(f"{kind:7} {scenario.name:34} {name:48} {result}", flush=True)
    lengths: dict[str, Any] = {}
    if not given.quick:
        for kind in KINDS:
            lengths[kind] = run_length(kind, 300, stream(given.seed, "bench.drift", kind, "length"))
            print(f"{kind:7} run length of level 2 at delta0: {lengths[kind]}", flush=True)
    result = {
        "command": f"python -m bench.drift --runs {runs} --gate {given.gate} --seed {given.seed}"
        + (" --alone" if given.alone else ""),
        "delta0": DELTA0,
        "seconds": round(time.monotonic() - began, 1),
        "table": table,
        "run_length": lengths,
        "checks": checks(table, lengths),
    }
    for check in result["checks"]:
        print("met   " if check["met"] else "MISSED", check)
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
