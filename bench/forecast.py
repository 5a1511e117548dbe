"""Forecasts of drifting systems: the fair CRPS of baselines, by turns since the forcing changed.

    python -m bench.forecast --out docs/results/worlds/forecast-baselines.json

`oracle` is told the forcing, `stale` keeps the first one. `ridge` reads what a model is shown, and answers a forcing
by a quadratic ridge regression, fitted on 100 worlds of level 1. `persistence` repeats the last observation.
`climatology` is an ensemble of all states of the world. The unit is that of the system: K for the balance.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import numpy as np

from autotelic.domains.forecast.domain import MODES, TURNS, ForecastDomain, World, world_of
from autotelic.domains.forecast.systems import crps
from autotelic.streams import stream
from autotelic.types import Cell

WORLDS = 20
FITTED = 100
PENALTY = 1e-3


def features(world: World, turn: int) -> np.ndarray:
    """What is shown before a forecast, and its squares and product."""
    one, two = (float(word) for word in world.shown(turn).split())
    return np.array([1.0, one, two, one * one, two * two, one * two])


def fitted(worlds: list[World]) -> np.ndarray:
    """The weights of a ridge regression from what is shown to the forcing."""
    x = np.stack([features(world, turn) for world in worlds for turn in range(TURNS)])
    y = np.array([world.forcings[turn] for world in worlds for turn in range(TURNS)])
    return np.linalg.solve(x.T @ x + PENALTY * np.eye(x.shape[1]), x.T @ y)


def scores(world: World, turn: int, weights: np.ndarray) -> dict[str, float]:
    """The CRPS of each baseline at a turn."""
    kept = world.told(world.starts[turn] + world.members[turn])
    guess = float(np.clip(features(world, turn) @ weights, world.system.low, world.system.high))
    return {
        "oracle": world.score(turn, world.forcings[turn]),
        "ridge": world.score(turn, guess),
        "stale": world.score(turn, world.forcings[0]),
        "persistence": float(crps(kept, world.truths[turn]).mean()),
        "climatology": world.climate[turn],
    }


def main() -> None:
    """Print a table and write the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    domain, rows = ForecastDomain(), {}
    for mode in MODES:
        practised = domain.tasks(stream(0, "bench forecast fit"), [Cell(mode=mode, level=1)] * FITTED)
        weights = fitted([world_of(task) for task in practised])
        for level in (1, 3):
            tasks = domain.tasks(stream(0, "bench forecast"), [Cell(mode=mode, level=level)] * WORLDS)
            found: dict[str, list[dict[str, float]]] = {"before": [], "after": []}
            for task in tasks:
                for turn in range(TURNS):
                    when = "before" if turn < int(task.secret["change"]) else "after"
                    found[when].append(scores(world_of(task), turn, weights))
            for when, cases in found.items():
                rows[f"{mode}/{level} {when}"] = {
                    name: float(np.mean([case[name] for case in cases])) for name in cases[0]
                }
    names = list(next(iter(rows.values())))
    print(f"{'fair CRPS':<20}" + "".join(f"{name:>13}" for name in names))
    for label, row in rows.items():
        print(f"{label:<20}" + "".join(f"{row[name]:13.3f}" for name in names))
    if given.out:
        given.out.write_text(json.dumps({"worlds": WORLDS, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
