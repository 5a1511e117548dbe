"""Online bin packing: what baselines, a blind search and a champion's formulas need.

    python -m bench.packing                              # baselines, percent over the lower bound
    python -m bench.packing --search 2000 --seeds 3      # a blind search at so many evaluations
    python -m bench.packing --formula "-gap"             # a formula of yours
    python -m bench.packing --run runs/packing           # a champion's formulas, and how much was tried for them

Instances: five of each distribution. Weibull(3, 45) in bins of 100, 1,000 and 5,000 items, and sizes uniform from
20 to 100 in bins of 150, 500 items, as in the OR-library's third set. The raw numbers go to --out as JSON.
"""

from __future__ import annotations

import argparse
import json
import re
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from autotelic.api.champions import load_champion
from autotelic.domains.expressions import FormulaError, draw, parse
from autotelic.domains.packing import simulator
from autotelic.domains.packing.simulator import NAMES, Items
from autotelic.machine import Machine
from autotelic.messages import Judged
from autotelic.record import Journal, RunFolder
from autotelic.streams import stream
from bench.worlds import kept

CASES = 5
BATCH = 100
"""Formulas that a blind search evaluates at once."""
SHOWN = {"weibull 1000": ("weibull", 2), "weibull 5000": ("weibull", 3), "or-like 500": ("uniform", 3)}
"""The mode and the level at which a champion is asked for its formula for a set."""


def instances(name: str, seed: int = 0) -> tuple[int, list[Items]]:
    """The capacity and the instances of a set."""
    rngs = [stream(seed, "bench packing", name, index) for index in range(CASES)]
    if name == "or-like 500":
        return 150, [simulator.uniform(rng, 20, 100, 500) for rng in rngs]
    return 100, [simulator.weibull(rng, 3.0, 45.0, 100, int(name.split()[1])) for rng in rngs]


NONE = 25.0
"""Percent over the bound that stand for what is no formula: as many as for one that is given up."""
SETS = ("weibull 1000", "weibull 5000", "or-like 500")


def excesses(texts: Sequence[str], capacity: int, cases: Sequence[Items]) -> dict[str, float]:
    """Mean percent over the lower bound of each formula. What is no formula is left out."""
    tables: dict[str, simulator.Ranks] = {}
    for text in texts:
        with suppress(FormulaError):
            tables[text] = simulator.ranks(parse(text, NAMES), capacity)
    lanes = [(at, items) for at in range(len(tables)) for items in cases]
    bins = iter(simulator.bins_side_by_side(list(tables.values()), lanes, capacity))
    return {
        text: float(np.mean([simulator.excess(next(bins), items, capacity) for items in cases]))
        for text in tables
    }


def blind(evaluations: int, seed: int) -> tuple[str, float]:
    """The best of so many formulas on two instances of 1,000 items: random ones, then mutants of the best ten.

    A batch is evaluated at once, so that the best ten are those before it.
    """
    rng = stream(seed, "blind search")
    capacity, cases = instances("weibull 1000", seed=1000 + seed)
    seen: dict[str, float] = {}
    while len(seen) < evaluations:
        best = sorted(seen, key=lambda known: seen[known])[:10]
        new: dict[str, None] = {}
        while len(new) < min(BATCH, evaluations - len(seen)):
            if len(seen) < evaluations // 4 or rng.random() < 0.2:
                text = draw(rng, NAMES)
            else:
                text = mutant(best[int(rng.integers(len(best)))], rng)
            if text not in seen:
                new[text] = None
        seen |= excesses(list(new), capacity, cases[:2])
    found = min(seen, key=lambda known: seen[known])
    return found, seen[found]


def mutant(text: str, rng: np.random.Generator) -> str:
    """The text with one variable or number replaced by a random formula."""
    places = list(re.finditer(r"\b(?:item|room|gap|\d+)\b", text))
    place = places[int(rng.integers(len(places)))]
    return f"{text[: place.start()]}({draw(rng, NAMES, depth=2)}){text[place.end() :]}"


def prompts() -> dict[str, str]:
    """What a champion is shown of each set: its distribution, the capacity and the number of items."""
    return {
        "weibull 1000": "weibull 3 45 100 1000\n",
        "weibull 5000": "weibull 3 45 100 5000\n",
        "or-like 500": "uniform 20 100 150 500\n",
    }


def said(run: Path, samples: int) -> dict[str, dict[str, list[str]]]:
    """A champion's formulas for each set: the greedy one, and samples at the temperature of its charter."""
    with load_champion(run, machine=Machine(threads=1)) as champion:
        heat = champion.charter.roles.temperature
        return {
            name: {
                "greedy": [champion.ask(prompt).strip()],
                "sampled": [champion.ask(prompt, temperature=heat, seed=at).strip() for at in range(samples)],
            }
            for name, prompt in prompts().items()
        }


def of_run(run: Path, samples: int) -> dict[str, Any]:
    """How a champion's formulas and the first of the archive do on the sets, and how much was tried for it."""
    found: dict[str, Any] = {}
    for name, answers in said(run, samples).items():
        capacity, cases = instances(name)
        each = excesses([*answers["greedy"], *answers["sampled"]], capacity, cases)
        sampled = [each.get(text, NONE) for text in answers["sampled"]]
        found[name] = {
            "formula": answers["greedy"][0],
            "greedy": each.get(answers["greedy"][0], NONE),
            "sampled mean": float(np.mean(sampled)),
            "no formula": sum(text not in each for text in answers["sampled"]),
        }
    with Journal.open(run) as journal:
        archive = kept(journal, RunFolder.open(run).charter())
        tried, formulas = set(), set()
        for message in journal.each_message(kinds=(Judged.kind,)):
            if isinstance(message, Judged) and message.purpose in ("attempt", "repair"):
                for group in message.groups:
                    tried |= {(group.task.id, episode.answer) for episode in group.episodes}
                    formulas |= {episode.answer for episode in group.episodes}
    found["evaluations"] = {"of a formula at a task": len(tried), "formulas": len(formulas)}
    for family in archive.families:
        text = archive.best(family)[0].answer
        found[f"first of the archive: {family}"] = {"formula": text} | {
            name: excesses([text], *instances(name))[text] for name in SETS
        }
    return found


def main() -> None:
    """Print a table and write the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--search", type=int, default=0)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--formula", action="append", default=[])
    parser.add_argument("--run", type=Path, help="a run whose champion is asked")
    parser.add_argument("--samples", type=int, default=32, help="of a champion, for each set")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    began = time.process_time()
    if given.run:
        found_of_run = of_run(given.run, given.samples)
        print(json.dumps(found_of_run, indent=1))
        if given.out:
            given.out.write_text(json.dumps(found_of_run, indent=1) + "\n")
        return
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
            rows.setdefault(label, {})[name] = excesses([text], capacity, cases)[text]
    print(f"{'percent over the bound':<40}" + "".join(f"{name:>16}" for name in SETS))
    for label, row in rows.items():
        print(f"{label:<40}" + "".join(f"{row[name]:16.2f}" for name in SETS))
    if given.out:
        whole = {"unit": "percent over the lower bound", "rows": rows, "cpu_s": time.process_time() - began}
        given.out.write_text(json.dumps(whole, indent=1) + "\n")


if __name__ == "__main__":
    main()
