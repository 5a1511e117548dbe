"""Vehicle routes: the gap of heuristics to PyVRP, in percent of length.

    python -m bench.routing                       # needs pyvrp
    python -m bench.routing --formula "save-d/4"  # a formula of yours, in the skeleton that knows its names

Ten instances of each kind, as at levels 2 and 3: 40 customers at random or clustered places, 60 at mixed ones.
PyVRP has 300 iterations and seed 1, so that its result can be repeated. The raw numbers go to --out as JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from autotelic.domains.expressions import FormulaError, parse
from autotelic.domains.routing.domain import CUSTOMERS, INSTANCES, MODES, NAMES, RoutingDomain, instances_of
from autotelic.domains.routing.instances import SERVICE, Instance
from autotelic.domains.routing.skeletons import PLAIN, cost, routes_of
from autotelic.streams import stream
from autotelic.types import Cell

CASES = 10
ITERATIONS = 300


def reference(instance: Instance) -> int:
    """The length of PyVRP's routes."""
    from pyvrp import Model
    from pyvrp.stop import MaxIterations

    model = Model()
    places = [model.add_location(int(x), int(y)) for x, y in instance.xy]
    window = instance.window
    depot = model.add_depot(places[0])
    for at in range(1, len(places)):
        extra = {} if window is None else {"tw_early": int(window[at, 0]), "tw_late": int(window[at, 1])}
        service = 0 if window is None else SERVICE
        model.add_client(places[at], delivery=[int(instance.demand[at])], service_duration=service, **extra)
    late = {} if window is None else {"tw_early": 0, "tw_late": int(window[0, 1])}
    model.add_vehicle_type(
        len(places), capacity=[instance.capacity], start_depot=depot, end_depot=depot, **late
    )
    d = instance.distance
    for i, one in enumerate(places):
        for j, two in enumerate(places):
            if i != j:
                model.add_edge(one, two, distance=int(d[i, j]), duration=int(d[i, j]))
    return int(model.solve(stop=MaxIterations(ITERATIONS), seed=1, display=False).cost())


def main() -> None:
    """Print a table and write the raw numbers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--formula", action="append", default=[])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    try:
        import pyvrp  # noqa: F401
    except ImportError:
        sys.exit("bench.routing needs pyvrp: pip install -e '.[routing]'")
    domain, rows = RoutingDomain(), {}
    for mode in MODES:
        for level in (2, 3):
            tasks = domain.tasks(stream(0, "bench routing"), [Cell(mode=mode, level=level)] * CASES)
            cases = [instances_of(task)[0] for task in tasks]
            began = time.process_time()
            best = [reference(case) for case in cases]
            row = {"pyvrp_cpu_s": (time.process_time() - began) / CASES}
            for text in [PLAIN[mode], *given.formula]:
                try:
                    formula = parse(text, NAMES[mode])
                except FormulaError:
                    continue
                began = time.process_time()
                found = [cost(routes_of(formula, case), case) for case in cases]
                row[f"{text}_cpu_s"] = (time.process_time() - began) / CASES
                row[f"{text}_gap_percent"] = float(
                    np.mean([100 * (own / ref - 1) for own, ref in zip(found, best, strict=True)])
                )
            rows[f"{mode} {CUSTOMERS[level]} customers"] = row
    for name, row in rows.items():
        print(name, *(f"{key} {value:.4g}" for key, value in row.items()), sep="   ")
    if given.out:
        given.out.write_text(
            json.dumps({"cases": CASES, "instances": INSTANCES, "rows": rows}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
