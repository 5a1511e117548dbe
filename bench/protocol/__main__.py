"""The permit protocol, searched and tried.

    python -m bench.protocol                                everything
    python -m bench.protocol --only schedules --schedules 500
    python -m bench.protocol --out docs/results/oversight   also writes protocol-*.json there

Three parts. `model`: the correct protocol, exhaustively, in three bounds. `mutants`: the shortest trace by which each
of the 29 checks left out breaks its invariant, and the same bounds with the check. `schedules`: 10,000 random
schedules of faults against the real code on a simulated machine.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any

from bench.protocol import schedules
from bench.protocol.model import Model
from bench.protocol.mutants import EXHAUSTIVE, MUTANTS, REDUNDANT, SMALL
from bench.protocol.search import search

CHUNK = 500
"""Schedules between two lines of progress."""
PARTS = ("model", "mutants", "schedules")


def model() -> dict[str, Any]:
    """The correct protocol, whole."""
    found = {}
    for name, bounds in EXHAUSTIVE.items():
        result = search(Model(bounds), traces=False)
        told = "no violation" if not result.traces else f"VIOLATIONS: {result.traces}"
        whole = "whole" if result.whole else "NOT WHOLE"
        print(
            f"{name}: {result.states:,} states, {whole}, depth {result.depth}, {result.seconds:.0f} s: {told}",
            flush=True,
        )
        found[name] = {
            "states": result.states,
            "depth": result.depth,
            "seconds": round(result.seconds, 1),
            "whole": result.whole,
            "violations": result.traces,
        }
    return found


def mutants() -> dict[str, Any]:
    """Each mutant's shortest trace, and that the right protocol has none in the same bounds."""
    rows = []
    for mutant in MUTANTS:
        result, control = mutant.search(), mutant.control()
        trace = result.traces.get(mutant.breaks, [])
        killed = bool(trace) and control.whole and not control.traces
        print(
            f"{mutant.number:>2} {mutant.name}: {'killed' if killed else 'SURVIVES'} by {mutant.breaks}, "
            f"{len(trace)} steps"
        )
        rows.append(
            {
                "number": mutant.number,
                "name": mutant.name,
                "breaks": mutant.breaks,
                "killed": killed,
                "trace": trace,
                "states": result.states,
                "control_states": control.states,
            }
        )
    alone = {check: search(Model(SMALL, frozenset({check})), traces=False).traces for check in REDUNDANT}
    print(
        f"redundant alone, as they should be: {[check for check, traces in alone.items() if not traces]}",
        flush=True,
    )
    return {"mutants": rows, "alone": alone}


def random_schedules(count: int, steps: int) -> dict[str, Any]:
    """Random schedules against the real code. An unsafe one ends the program with its steps."""
    began, done = time.perf_counter(), Counter[str]()
    while done["schedules"] < count:
        done += schedules.run(min(CHUNK, count - done["schedules"]), steps)
        print(f"{done['schedules']:,} of {count:,} schedules, 0 unsafe", flush=True)
    seconds = time.perf_counter() - began
    for name, times in sorted(done.items()):
        print(f"  {name:<28} {times:>8,}")
    return {"steps": steps, "seconds": round(seconds, 1), "unsafe": 0, "done": dict(sorted(done.items()))}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", choices=PARTS)
    parser.add_argument("--schedules", type=int, default=10_000)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    work = {
        "model": model,
        "mutants": mutants,
        "schedules": lambda: random_schedules(given.schedules, given.steps),
    }
    for part in PARTS if given.only is None else (given.only,):
        found = work[part]()
        if given.out is not None:
            given.out.mkdir(parents=True, exist_ok=True)
            path = given.out / f"protocol-{part}.json"
            path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
