"""Hidden laws: how many symbolic regression recovers, by the number of noisy readings that it is given.

    python -m bench.laws_regression --python PYTHON --out docs/results/worlds/laws-regression.json

PYTHON is an interpreter that has gplearn 0.4.3 and pyoperon 0.6.2; they are for comparison only. Readings are taken
at random places of the range that may be measured, with the noise of the domain. A law is recovered by its values
alone: no point within or beyond the range is off by more than 1 %. Units are not asked for, which favours these two.
The same laws are asked at each number of readings.
"""

from __future__ import annotations

import argparse
import json
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from autotelic.domains.laws.domain import EXACT, HIGH, LOW, NOISE, LawsDomain, points_of
from autotelic.domains.laws.table import Law, law
from autotelic.streams import stream

READINGS = (3, 5, 10, 20, 50, 100)
SIDE = """
import json, sys, time, warnings
import numpy as np
warnings.filterwarnings("ignore")
given = json.load(sys.stdin)
method, seconds = given["method"], given["seconds"]
found = []
for case in given["cases"]:
    X, y, at = np.array(case["X"]), np.array(case["y"]), np.array(case["at"])
    began = time.process_time()
    try:
        if method == "gplearn":
            from gplearn.genetic import SymbolicRegressor
            model = SymbolicRegressor(
                population_size=1000, generations=given["generations"], parsimony_coefficient=0.001,
                function_set=("add", "sub", "mul", "div", "sqrt"), const_range=(0.0, 4.0), random_state=0,
            )
        else:
            from pyoperon.sklearn import SymbolicRegressor
            model = SymbolicRegressor(
                allowed_symbols="add,sub,mul,div,sqrt,sin,exp,square,constant,variable", max_time=seconds,
                n_threads=1, random_state=1, population_size=500, max_evaluations=given["evaluations"], max_length=20,
            )
        model.fit(X, y)
        said = np.asarray(model.predict(at), dtype=float).tolist()
        text = str(model._program) if method == "gplearn" else model.get_model_string(model.model_, 3)
    except Exception as error:
        said, text = None, f"{type(error).__name__}: {error}"
    found.append({"said": said, "text": text, "cpu_s": time.process_time() - began})
print(json.dumps(found))
"""
"""Run by the other interpreter: fits each case, and says what the fitted formula gives at the points asked for."""


def readings(found: Law, seed: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Places [count, variables] and noisy readings [count]."""
    rng = stream(seed, "bench laws", count)
    points = rng.uniform(LOW, HIGH, (count, len(found.symbols)))
    given: dict[str, Any] = {symbol: points[:, at] for at, symbol in enumerate(found.symbols)}
    true = np.broadcast_to(found.formula(given), (count,))
    return points, true * (1 + NOISE * rng.standard_normal(count))


def recovered(found: Law, said: list[float] | None) -> bool:
    """Whether these values, at the points on which formulas are judged, are those of the law."""
    if said is None:
        return False
    points, guess = points_of(found), np.array(said, dtype=float)
    given: dict[str, Any] = {symbol: points[:, at] for at, symbol in enumerate(found.symbols)}
    true = np.broadcast_to(found.formula(given), (len(points),))
    defined = np.isfinite(true)
    with np.errstate(all="ignore"):
        off = np.abs(guess - true) / np.maximum(np.abs(true), np.abs(guess))
    return bool(np.isfinite(guess[defined]).all() and np.nanmax(off[defined], initial=0.0) <= EXACT)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--python", required=True)
    parser.add_argument("--laws", type=int, default=10, help="of each cell")
    parser.add_argument("--readings", type=int, nargs="+", default=READINGS)
    parser.add_argument("--methods", nargs="+", default=["gplearn", "pyoperon"])
    parser.add_argument("--seconds", type=float, default=3.0, help="of a fit of pyoperon, at most")
    parser.add_argument("--evaluations", type=int, default=50_000, help="of a fit of pyoperon, at most")
    parser.add_argument("--generations", type=int, default=10, help="of gplearn, of 1,000 programs each")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    domain = LawsDomain()
    cells = [cell for cell in domain.spec.cells if cell.level <= 2]
    tasks = domain.tasks(stream(0, "bench laws"), [cell for cell in cells for _ in range(given.laws)])
    found = [law(str(task.secret["law"])) for task in tasks]
    settings = {key: getattr(given, key) for key in ("laws", "seconds", "evaluations", "generations")}
    rows: list[dict[str, Any]] = []
    for method in given.methods:
        for count in given.readings:
            shown = [
                readings(one, int(task.secret["seed"]), count) for one, task in zip(found, tasks, strict=True)
            ]
            cases = [
                {"X": places.tolist(), "y": seen.tolist(), "at": points_of(one).tolist()}
                for one, (places, seen) in zip(found, shown, strict=True)
            ]
            ran = subprocess.run(
                [given.python, "-W", "ignore", "-c", SIDE],
                input=json.dumps({"method": method, "cases": cases} | settings),
                capture_output=True,
                text=True,
                check=False,
            )
            if ran.returncode:
                raise SystemExit(
                    f"{given.python} does not run {method}: {ran.stderr.strip().splitlines()[-1]}"
                )
            said = json.loads(ran.stdout.strip().splitlines()[-1])
            right = [recovered(one, each["said"]) for one, each in zip(found, said, strict=True)]
            row = {"method": method, "readings": count, "cpu_s": sum(each["cpu_s"] for each in said)}
            for cell in cells:
                of_cell = [ok for task, ok in zip(tasks, right, strict=True) if task.cell == cell]
                row[str(cell)] = 100 * float(np.mean(of_cell))
            row["all"] = 100 * float(np.mean(right))
            rows.append(row)
            print(json.dumps(row), flush=True)
            if given.out:
                given.out.write_text(json.dumps({"settings": settings, "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
