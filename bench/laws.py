"""Hidden laws: how many are recovered without a model.

    python -m bench.laws --out docs/results/worlds/laws-baselines.json

`units alone` writes a product of powers that has the right units, and measures nothing. `units and readings`
tries six such products, and fits a factor to as many noisy readings as the budget allows, at random places. `search`
draws 200 random formulas and keeps the one that fits these readings best, whatever its units.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from autotelic.domains.expressions import draw, parse
from autotelic.domains.laws.domain import BUDGET, HIGH, LOW, NOISE, LawsDomain, guessed_by_units
from autotelic.domains.laws.table import law
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Task

LAWS = 20


def readings(task: Task) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """As many measurements at random places as the budget allows, by variable, and their readings."""
    found, rng = law(str(task.secret["law"])), stream(int(task.secret["seed"]), "bench laws")
    points = rng.uniform(LOW, HIGH, (BUDGET[task.level], len(found.symbols)))
    given = {symbol: points[:, at] for at, symbol in enumerate(found.symbols)}
    true = np.broadcast_to(found.formula(given), (len(points),))
    return given, true * (1 + NOISE * rng.standard_normal(len(points)))


def off(values: np.ndarray, seen: np.ndarray) -> float:
    """The mean relative error; infinite where a value is undefined."""
    error = float(np.mean(np.abs(values - seen) / np.abs(seen)))
    return error if np.isfinite(error) else float("inf")


def by_readings(task: Task, rng: np.random.Generator) -> str:
    """The product of powers with the right units and a fitted factor that fits best."""
    given, seen = readings(task)
    best, least = "=1", float("inf")
    for text in {guessed_by_units(task, rng)[1:] for _ in range(6)}:
        values = np.broadcast_to(parse(text, given.keys())(given), seen.shape)
        factor = float(np.median(seen / values))
        if off(values * factor, seen) < least:
            best, least = f"={abs(factor):.6f}*{text}", off(values * factor, seen)
    return best


def by_search(task: Task, rng: np.random.Generator) -> str:
    """The best of 200 random formulas."""
    given, seen = readings(task)
    best, least = "1", float("inf")
    for _ in range(200):
        text = draw(rng, list(given), depth=2, functions=("sqrt",), numbers=("1", "2", "3", "0.5"))
        error = off(np.broadcast_to(parse(text, given.keys())(given), seen.shape), seen)
        if error < least:
            best, least = text, error
    return f"={best}"


BASELINES = {"units alone": guessed_by_units, "units and readings": by_readings, "search": by_search}


def main() -> None:
    """Print a table and write the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    domain, rows = LawsDomain(), {}
    for cell in domain.spec.cells:
        if cell.level > 2:
            continue
        tasks = domain.tasks(
            stream(0, "bench laws", str(cell)), [Cell(mode=cell.mode, level=cell.level)] * LAWS
        )
        for name, answer in BASELINES.items():
            rng = stream(0, "bench laws", name)
            pairs = [(task, Episode(task_id=task.id, steps=(), answer=answer(task, rng))) for task in tasks]
            verdicts = domain.judge(pairs)
            recovered = 100 * float(np.mean([bool(verdict.passed) for verdict in verdicts]))
            reward = float(np.mean([verdict.reward for verdict in verdicts]))
            rows[f"{cell}, {name}"] = {"recovered_percent": recovered, "mean_reward": reward}
    for label, row in rows.items():
        print(
            f"{label:<36} {row['recovered_percent']:6.1f} % recovered   mean reward {row['mean_reward']:.3f}"
        )
    if given.out:
        given.out.write_text(json.dumps({"laws": LAWS, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
