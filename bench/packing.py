"""Online bin packing: what baselines, a blind search and a champion's formulas need.

    python -m bench.packing                              # baselines, percent over the lower bound
    python -m bench.packing --search 2000 --seeds 3      # a blind search at so many evaluations
    python -m bench.packing --formula "-gap"             # a formula of yours

Instances: five of each distribution. Weibull(3, 45) in bins of 100, 1,000 and 5,000 items, and sizes uniform from
20 to 100 in bins of 150, 500 items, as in the OR-library's third set. The raw numbers go to --out as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np

from autotelic.domains.expressions import FormulaError, draw, parse
from autotelic.domains.packing import simulator
from autotelic.domains.packing.simulator import NAMES, Items
from autotelic.streams import stream

CASES = 5


def instances(name: str, seed: int = 0) -> tuple[int, list[Items]]:
    """The capacity and the instances of a set."""
    rngs = [stream(seed, "bench packing", name, index) for index in range(CASES)]
    if name == "or-like 500":
        return 150, [simulator.uniform(rng, 20, 100, 500) for rng in rngs]
    return 100, [simulator.weibull(rng, 3.0, 45.0, 100, int(name.split()[1])) for rng in rngs]


SETS = ("weibull 1000", "weibull 5000", "or-like 500")


def excess(text: str, capacity: int, cases: list[Items]) -> float:
    """Mean percent over the lower bound. Raises FormulaError for what is no formula."""
    order = simulator.orders(parse(text, NAMES), capacity)
    return float(
        np.mean(
            [
                simulator.excess(simulator.bins_needed(order, items, capacity), items, capacity)
                for items in cases
            ]
        )
    )


def blind(evaluations: int, seed: int) -> tuple[str, float]:
    """The best of so many formulas on two instances of 1,000 items: random ones, then mutants of the best ten."""
    rng = stream(seed, "blind search")
    capacity, cases = instances("weibull 1000", seed=1000 + seed)
    seen: dict[str, float] = {}
    while len(seen) < evaluations:
        if len(seen) < evaluations // 4 or rng.random() < 0.2:
            text = draw(rng, NAMES)
        else:
            best = sorted(seen, key=lambda known: seen[known])[:10]
            text = mutant(best[int(rng.integers(len(best)))], rng)
        try:
            if text not in seen:
                seen[text] = excess(text, capacity, cases[:2])
        except FormulaError:
            continue
    found = min(seen, key=lambda known: seen[known])
    return found, seen[found]


def mutant(text: str, rng: np.random.Generator) -> str:
    """The text with one variable or number replaced by a random formula."""
    import re

    places = list(re.finditer(r"\b(?:item|room|gap|\d+)\b", text))
    place = places[int(rng.integers(len(places)))]
    return f"{text[: place.start()]}({draw(rng, NAMES, depth=2)}){text[place.end() :]}"


def main() -> None:
    """Print a table and write the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--search", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--formula", action="append", default=[])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    began = time.process_time()
    formulas = {"best fit": simulator.BEST_FIT, **{text: text for text in given.formula}}
    for seed in range(given.seeds if given.search else 0):
        text, _ = blind(given.search, seed)
        formulas[f"blind search of {given.search}, seed {seed}: {text}"] = text
    rows: dict[str, dict[str, float]] = {"first fit": {}}
    for name in SETS:
        capacity, cases = instances(name)
        found = [simulator.excess(simulator.first_fit(items, capacity), items, capacity) for items in cases]
        rows["first fit"][name] = float(np.mean(found))
        for label, text in formulas.items():
            rows.setdefault(label, {})[name] = excess(text, capacity, cases)
    print(f"{'percent over the bound':<40}" + "".join(f"{name:>16}" for name in SETS))
    for label, row in rows.items():
        print(f"{label:<40}" + "".join(f"{row[name]:16.2f}" for name in SETS))
    if given.out:
        said = {"unit": "percent over the lower bound", "rows": rows, "cpu_s": time.process_time() - began}
        given.out.write_text(json.dumps(said, indent=1) + "\n")


if __name__ == "__main__":
    main()
