"""What a gate certifies: no better candidates, worse ones, better ones. Beside today's gate on the same outcomes.

    python -m bench.gate                                   # a few minutes on one core
    python -m bench.gate --json docs/results/oversight/gate.json

An item has a difficulty from Beta(.4, .3): the champion's chance of passing it. A candidate has the same
chances, all moved so that the mean of all items changes by exactly the gain asked for, and with `mixed` items
each item's own chance changes too (a share of items trade their difficulty for a fresh one), as happens when
weights go on training. Items of `family` come from one program each three, and rise and fall together.

- certificates: `autotelic.oversee.certify`, on 4 sampled answers an item, alpha .05 over G planned gates. `rounds` is
  how many rounds of items a gate may have at most: another one is asked where the last was promising.
- today's gate, which this one replaced: a paired test that rejects at level .05, on one answer an item.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import cache, partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotelic.oversee import certify
from autotelic.statistics import compare
from autotelic.streams import stream

Floats = NDArray[np.float64]
ALPHA = certify.ALPHA
LEVEL = 0.05
"""That of today's gate in the default charter of then."""
MIXED = (0.0, 0.1, 0.3)
GAINS = (-0.10, -0.05, -0.02, 0.0, 0.02, 0.05, 0.10)
SIZES = ((200, 1, 1), (200, 2, 1), (200, 4, 1), (400, 4, 1), (200, 4, certify.ROUNDS))
"""Items of a round, answers of each, rounds at most. The last is what a run has by default."""
FAMILY = 3
"""Items of one program, where items depend on each other."""


def difficulty(rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    return rng.beta(0.4, 0.3, shape)


@cache
def shift_for(gain: float) -> float:
    """How far all chances must move, cut to [0, 1], so that their mean moves by `gain`."""
    p_N = difficulty(stream(0, "bench.gate", "shift"), (2_000_000,))
    low, high = -1.0, 1.0
    for _ in range(30):
        middle = (low + high) / 2
        moved = float((np.clip(p_N + middle, 0, 1) - p_N).mean())
        low, high = (middle, high) if moved < gain else (low, middle)
    return low


def chances(
    rng: np.random.Generator, shape: tuple[int, int], shift: float, mixed: float, family: bool
) -> tuple[Floats, Floats]:
    """The chances of champion and candidate on each item, [R, N] each."""
    runs, items = shape
    columns = -(-items // FAMILY) if family else items
    champion_RN = difficulty(rng, (runs, columns))
    fresh_RN = np.where(rng.random((runs, columns)) < mixed, difficulty(rng, (runs, columns)), champion_RN)
    candidate_RN = np.clip(fresh_RN + shift, 0, 1)
    if family:
        champion_RN, candidate_RN = (
            np.repeat(x, FAMILY, axis=1)[:, :items] for x in (champion_RN, candidate_RN)
        )
    return champion_RN, candidate_RN


def answers(rng: np.random.Generator, chance_RN: Floats, count: int) -> Floats:
    """The share of `count` answers that pass."""
    return rng.binomial(count, chance_RN) / count


def programs(difference_RN: Floats, family: bool) -> Floats:
    """One bet a program: [R, N] to [R, P]."""
    if not family:
        return difference_RN
    runs, items = difference_RN.shape
    whole = items - items % FAMILY
    means = difference_RN[:, :whole].reshape(runs, -1, FAMILY).mean(axis=2)
    return (
        means
        if whole == items
        else np.concatenate([means, difference_RN[:, whole:].mean(axis=1, keepdims=True)], axis=1)
    )


def held(
    draw: Callable[[], Floats], gates: int, rounds: int
) -> tuple[NDArray[np.bool_], NDArray[np.bool_], Floats]:
    """Which candidates are certified and which rolled back, [R] each, and how many rounds each was asked, [R].

    `draw` gives the bets of one round, [R, P]. What `Certifier.goes_on` decides for one run, for all at once.
    """
    bet_RP = draw()
    going_R, asked_R = np.ones(len(bet_RP), dtype=bool), np.zeros(len(bet_RP))
    better_R, worse_R = np.zeros_like(going_R), np.zeros_like(going_R)
    for number in range(rounds):
        bet_RP = np.concatenate([bet_RP, draw()], axis=1) if number else bet_RP
        asked_R += going_R
        log_R = certify.log_e_value(bet_RP)
        better_R |= going_R & (log_R >= np.log(gates / ALPHA))
        worse_R |= going_R & (certify.log_e_value(-bet_RP) >= np.log(gates / ALPHA))
        going_R &= ~better_R & ~worse_R & (log_R >= np.log(certify.PROMISING))
    return better_R, worse_R, asked_R


@cache
def promoted(wins: int, losses: int) -> bool:
    """What today's gate says of so many wins and losses; ties do not count."""
    both = (1.0,) * wins + (0.0,) * losses
    return compare([1 - x for x in both], both, LEVEL).verdict != "worse"


def today(difference_RN: Floats) -> NDArray[np.bool_]:
    """Today's gate on one answer an item."""
    wins_R, losses_R = (difference_RN > 0).sum(axis=1), (difference_RN < 0).sum(axis=1)
    return np.array([promoted(int(w), int(lost)) for w, lost in zip(wins_R, losses_R, strict=True)])


def bets(
    rng: np.random.Generator,
    shape: tuple[int, int],
    shift: float,
    mixed: float,
    count: int,
    family: bool,
    apart: bool = False,
) -> Floats:
    """The bets of one round of fresh items, [R, P]."""
    champion_RN, candidate_RN = chances(rng, shape, shift, mixed, family)
    difference_RN = answers(rng, candidate_RN, count) - answers(rng, champion_RN, count)
    return programs(difference_RN, family and not apart)


def one_gate(
    rng: np.random.Generator,
    runs: int,
    *,
    gain: float,
    items: int,
    count: int,
    gates: int,
    mixed: float = 0.0,
    family: bool = False,
    apart: bool = False,
    rounds: int = 1,
) -> dict[str, Any]:
    """The share of candidates certified at the first of `gates` planned gates, rolled back, and promoted by
    today's gate. `apart` bets on items of one program as if they were independent, which they are not.
    """
    certified, back, old, asked = 0, 0, 0, 0.0
    shift = shift_for(gain) if gain else 0.0
    for first in range(0, runs, 2_000):
        shape = (min(2_000, runs - first), items)
        draw = partial(bets, rng, shape, shift, mixed, count, family, apart)
        better_R, worse_R, asked_R = held(draw, gates, rounds)
        certified, back = certified + int(better_R.sum()), back + int(worse_R.sum())
        asked += float(asked_R.sum())
        champion_RN, candidate_RN = chances(rng, shape, shift, mixed, family)
        old += int(today(answers(rng, candidate_RN, 1) - answers(rng, champion_RN, 1)).sum())
    return {
        "gain": gain,
        "items": items,
        "answers": count,
        "gates": gates,
        "rounds": rounds,
        "mixed": mixed,
        "of one program": FAMILY if family else 1,
        "runs": runs,
        "rounds_asked": asked / runs,
        "certified": certified / runs,
        "rolled_back": back / runs,
        "todays_gate_promotes": old / runs,
    }


def null_run(
    rng: np.random.Generator,
    runs: int,
    *,
    gates: int,
    items: int,
    count: int,
    mixed: float,
    family: bool = False,
    rounds: int = 1,
) -> dict[str, Any]:
    """Any false certificate, and any false roll-back, in a run of candidates that are as good as the champion."""
    falsely = {"certificate": np.zeros(runs, dtype=bool), "roll_back": np.zeros(runs, dtype=bool)}
    old = 0
    for _ in range(gates):
        for first in range(0, runs, 1_000):
            part = slice(first, min(first + 1_000, runs))
            shape = (part.stop - part.start, items)
            # Only the first false one matters, so what comes back after one plays no part.
            better_R, worse_R, _ = held(partial(bets, rng, shape, 0.0, mixed, count, family), gates, rounds)
            falsely["certificate"][part] |= better_R
            falsely["roll_back"][part] |= worse_R
            if first == 0:
                champion_RN, candidate_RN = chances(rng, shape, 0.0, mixed, family)
                old += int(today(answers(rng, candidate_RN, 1) - answers(rng, champion_RN, 1)).sum())
    return {
        "gates": gates,
        "items": items,
        "answers": count,
        "rounds": rounds,
        "mixed": mixed,
        "of one program": FAMILY if family else 1,
        "runs": runs,
        "any_false_certificate": float(falsely["certificate"].mean()),
        "any_false_roll_back": float(falsely["roll_back"].mean()),
        "todays_gate_promotes": old / (gates * min(runs, 1_000)),
    }


def climb(
    rng: np.random.Generator,
    runs: int,
    *,
    step: float,
    gates: int,
    items: int,
    count: int,
    start: float,
    rounds: int = 1,
) -> dict[str, Any]:
    """Working weights whose mean moves by `step` a gate: what is certified at the end, by the real classes.

    Each gate tests the working weights against the last certified ones. Today's gate takes each promoted
    candidate as the next champion and rolls the working weights back at a rejection.
    """
    end, certificates, back, today_end, asked = [], 0, 0, [], 0.0
    for _ in range(runs):
        plan = certify.CertificatePlan(gates=gates, items=items, answers=count, rounds=rounds)
        certifier = certify.Certifier(plan)
        working = certified = today_is = start
        for gate in range(gates):
            working = min(0.98, max(0.02, working + step))
            evidence: list[certify.PairedItem] = []
            while not evidence or certifier.goes_on(evidence):
                chance_N = difficulty(rng, (items,))
                evidence += evidence_of(rng, chance_N, certified, working, count, f"{gate}.{len(evidence)}")
            asked += len(evidence) / items
            ruling = certifier.review(evidence)
            if ruling.outcome == "certify":
                certified, certificates = working, certificates + 1
            elif ruling.outcome == "roll back":
                working, back = certified, back + 1
            next_is = min(0.98, max(0.02, today_is + step))
            before_N, after_N = (_moved(chance_N, mean) for mean in (today_is, next_is))
            moved_1N = answers(rng, after_N[None], 1) - answers(rng, before_N[None], 1)
            today_is = next_is if today(moved_1N)[0] else today_is
        end.append(certified)
        today_end.append(today_is)
    return {
        "step": step,
        "gates": gates,
        "items": items,
        "answers": count,
        "rounds": rounds,
        "rounds_asked": asked / runs / gates,
        "runs": runs,
        "start": start,
        "certified_at_the_end": float(np.mean(end)),
        "champion_of_todays_gate": float(np.mean(today_end)),
        "certificates": certificates / runs,
        "rolled_back": back / runs,
    }


def evidence_of(
    rng: np.random.Generator, chance_N: Floats, champion: float, candidate: float, count: int, name: str
) -> list[certify.PairedItem]:
    """A round of items, each of a program of its own, answered by weights of these mean skills."""
    old, new = (
        (rng.random((len(chance_N), count)) < _moved(chance_N, mean)[:, None]).astype(float).tolist()
        for mean in (champion, candidate)
    )
    return [
        certify.PairedItem(item=f"{name}.{n}", program=f"{name}.{n}", champion=tuple(a), candidate=tuple(b))
        for n, (a, b) in enumerate(zip(old, new, strict=True))
    ]


def _moved(chance_N: Floats, mean: float) -> Floats:
    """Chances in the order of `chance_N` whose mean over all items is `mean` (by a power of them)."""
    return np.asarray(chance_N ** _power(round(mean, 6)), dtype=np.float64)


@cache
def _power(mean: float) -> float:
    p_N = difficulty(stream(0, "bench.gate", "power"), (200_000,))
    low, high = -12.0, 12.0
    for _ in range(40):
        middle = (low + high) / 2
        low, high = (middle, high) if float((p_N ** np.exp2(middle)).mean()) > mean else (low, middle)
    return float(np.exp2(low))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=10_000, help="of one gate; runs of 100 gates are a fifth")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    began = time.monotonic()

    def rng(*names: Any) -> np.random.Generator:
        return stream(given.seed, "bench.gate", *map(str, names))

    single = []
    for mixed, gain, (items, count, rounds), gates in product(MIXED, GAINS, SIZES, (7, 100)):
        runs = given.runs if gain in (0.10, -0.05) else given.runs // 5
        names = ("one", mixed, gain, items, count, gates, *([rounds] if rounds > 1 else []))
        how = {"gain": gain, "items": items, "count": count, "gates": gates, "mixed": mixed, "rounds": rounds}
        single.append(one_gate(rng(*names), runs, **how))
        print(single[-1], flush=True)
    families = [
        one_gate(
            rng("family", apart),
            given.runs,
            gain=0.0,
            items=201,
            count=4,
            gates=7,
            mixed=0.3,
            family=True,
            apart=apart,
        )
        for apart in (False, True)
    ]
    print(*families, sep="\n", flush=True)
    null = [
        null_run(
            rng("null", items, count, mixed, family, *([rounds] if rounds > 1 else [])),
            given.runs // 5,
            gates=100,
            items=items,
            count=count,
            mixed=mixed,
            family=family,
            rounds=rounds,
        )
        for items, count, mixed, family, rounds in (
            (200, 4, 0.0, False, 1),
            (200, 4, 0.3, False, 1),
            (201, 4, 0.3, True, 1),
            (200, 1, 0.3, False, 1),
            (200, 4, 0.0, False, certify.ROUNDS),
            (200, 4, 0.3, False, certify.ROUNDS),
            (201, 4, 0.3, True, certify.ROUNDS),
        )
    ]
    print(*null, sep="\n", flush=True)
    climbs = [
        climb(rng("climb", step), 40, step=step, gates=gates, items=200, count=4, start=start, rounds=rounds)
        for step, gates, start in ((0.02, 30, 0.2), (0.08, 7, 0.05), (-0.005, 100, 0.6), (0.0, 100, 0.5))
        for rounds in (1, certify.ROUNDS)
    ]
    print(*climbs, sep="\n", flush=True)
    result = {
        "command": f"python -m bench.gate --runs {given.runs} --seed {given.seed}",
        "seconds": round(time.monotonic() - began, 1),
        "one_gate": single,
        "items_of_one_program": {"one bet a program": families[0], "one bet an item (wrong)": families[1]},
        "null_runs": null,
        "climbs": climbs,
        "checks": checks(single, null),
    }
    for check in result["checks"]:
        print("met   " if check["met"] else "MISSED", check)
    if given.json:
        given.json.write_text(json.dumps(result, indent=1) + "\n")


def checks(single: list[dict[str, Any]], null: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was asked, what came, whether it is met."""
    found = []
    for row in null:
        for what in ("any_false_certificate", "any_false_roll_back"):
            found.append(
                {
                    "what": f"{what} in 100 null gates, {_named(row)}",
                    "at_most": 0.02,
                    "got": row[what],
                    "met": row[what] <= 0.02,
                }
            )
    for row in single:
        if row["gain"] == -0.05:
            got = row["certified"]
            found.append(
                {
                    "what": f"5 points worse certified, {_named(row)}",
                    "at_most": 0.01,
                    "got": got,
                    "met": got <= 0.01,
                }
            )
        if row["gain"] == 0.10 and (row["items"], row["answers"], row["gates"]) == (200, 4, 7):
            got = row["certified"]
            found.append(
                {
                    "what": f"10 points better certified, {_named(row)}",
                    "at_least": 0.97,
                    "got": got,
                    "met": got >= 0.97,
                }
            )
    return found


def _named(row: dict[str, Any]) -> str:
    rounds = f"up to {row['rounds']} rounds of " if row["rounds"] > 1 else ""
    return f"{rounds}{row['items']} items, {row['answers']} answers, {row['gates']} gates, mixed {row['mixed']:g}"


if __name__ == "__main__":
    main()
