"""What a gate certifies: no better candidates, worse ones, better ones. Beside a paired test.

    python -m bench.gate                                   # a few minutes on one core
    python -m bench.gate --json docs/results/oversight/gate.json

An item has a difficulty from Beta(.4, .3): the champion's chance of passing it. A candidate has the same
chances, all moved so that the mean of all items changes by exactly the gain asked for, and with `mixed` items
each item's own chance changes too (a share of items trade their difficulty for a fresh one), as happens when
weights go on training. Items of `family` come from one program each three, and rise and fall together.

- certificates: `autotelic.oversee.certify`, on 4 sampled answers an item, alpha .05 over G planned gates. `rounds` is
  how many rounds of items a gate may have at most: another one is asked where the last was promising.
- paired gate: a test of wins against losses that rejects at level .05, on one answer an item.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from autotelic.oversee import certify
from autotelic.streams import stream
from bench.candidates import (
    FAMILY,
    Floats,
    answers,
    bets,
    chances,
    difficulty,
    evidence_of,
    moved,
    paired_gate,
    shift_for,
)

ALPHA = certify.ALPHA
MIXED = (0.0, 0.1, 0.3)
GAINS = (-0.10, -0.05, -0.02, 0.0, 0.02, 0.05, 0.10)
SIZES = ((200, 1, 1), (200, 2, 1), (200, 4, 1), (400, 4, 1), (200, 4, certify.ROUNDS))
"""Items of a round, answers of each, rounds at most. The last is what a run has by default."""


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
    the paired gate. `apart` bets on items of one program as if they were independent, which they are not.
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
        old += int(paired_gate(answers(rng, candidate_RN, 1) - answers(rng, champion_RN, 1)).sum())
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
        "paired_gate_promotes": old / runs,
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
                old += int(paired_gate(answers(rng, candidate_RN, 1) - answers(rng, champion_RN, 1)).sum())
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
        "paired_gate_promotes": old / (gates * min(runs, 1_000)),
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

    Each gate tests the working weights against the last certified ones. The paired gate takes each promoted
    candidate as the next champion and rolls the working weights back at a rejection.
    """
    end, certificates, back, paired_end, asked = [], 0, 0, [], 0.0
    for _ in range(runs):
        plan = certify.CertificatePlan(gates=gates, items=items, answers=count, rounds=rounds)
        certifier = certify.Certifier(plan)
        working = certified = paired_is = start
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
            next_is = min(0.98, max(0.02, paired_is + step))
            before_N, after_N = (moved(chance_N, mean) for mean in (paired_is, next_is))
            moved_1N = answers(rng, after_N[None], 1) - answers(rng, before_N[None], 1)
            paired_is = next_is if paired_gate(moved_1N)[0] else paired_is
        end.append(certified)
        paired_end.append(paired_is)
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
        "champion_of_the_paired_gate": float(np.mean(paired_end)),
        "certificates": certificates / runs,
        "rolled_back": back / runs,
    }


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
