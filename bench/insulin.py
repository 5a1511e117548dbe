"""The world `insulin`: against simglucose, how fast it is, and what simple therapies reach.

    python -m bench.insulin agree --python PYTHON    # PYTHON has simglucose 0.2.11, pandas, scipy, setuptools<81
    python -m bench.insulin speed
    python -m bench.insulin baselines
    python -m bench.insulin champion --run RUN --patients 10    # of each group, new ones

simglucose is for development only. Each command prints a table and, with `--out FILE`, writes its numbers as JSON.
Research software, not medical advice.
"""

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from autotelic.domains.insulin.course import Lane, Outcome, outcomes
from autotelic.domains.insulin.days import draw_days
from autotelic.domains.insulin.dosing import STANDARD, Settings
from autotelic.domains.insulin.model import Bodies
from autotelic.domains.insulin.patients import GROUPS, Patient, new_patient, published, table
from autotelic.streams import stream

COMPARED = ("adolescent#001", "adult#001", "child#001")
MEALS = {420: 45.0, 720: 70.0, 1080: 80.0}
"""Minute and grams of a day's meals."""
GRID = tuple(
    Settings(*four)
    for four in itertools.product(
        (75, 90, 100, 115), (60, 80, 100, 125, 160, 220), (70, 100, 160), (120, 140, 160)
    )
)
"""216 settings."""
SIDE = """
import json, sys, types
gym, envs, registration = (types.ModuleType(n) for n in ("gym", "gym.envs", "gym.envs.registration"))
registration.register = lambda **_: None
sys.modules |= {"gym": gym, "gym.envs": envs, "gym.envs.registration": registration}
from simglucose.patient.t1dpatient import Action, T1DPatient
given = json.load(sys.stdin)
found = {}
for name in given["names"]:
    patient = T1DPatient.withName(name)
    seen = []
    for minute in range(1440):
        insulin = given["insulin"][name][minute]
        patient.step(Action(insulin=insulin, CHO=given["meals"].get(str(minute), 0.0)))
        seen.append(float(patient.observation.Gsub))
    found[name] = seen
print(json.dumps(found))
"""


def agree(python: str) -> dict[str, Any]:
    """The largest difference to simglucose over a day with three meals and their boluses, mg/dL."""
    chosen = [patient for patient in published() if patient.name in COMPARED]
    p = table(chosen)
    basal = p["u2ss"] * p["BW"] / 6000
    insulin = np.repeat(basal[:, None], 1440, axis=1)
    for minute, grams in MEALS.items():
        insulin[:, minute] += grams / p["CR"]
    given = {
        "names": [patient.name for patient in chosen],
        "meals": MEALS,
        "insulin": {q.name: row.tolist() for q, row in zip(chosen, insulin, strict=True)},
    }
    ran = subprocess.run(
        [python, "-W", "ignore", "-c", SIDE],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise SystemExit(f"{python} does not run simglucose: {ran.stderr.strip().splitlines()[-1]}")
    theirs = json.loads(ran.stdout)
    bodies, ours = Bodies(p), np.zeros((len(chosen), 1440))
    for minute in range(1440):
        bodies.minute(insulin[:, minute], np.full(len(chosen), MEALS.get(minute, 0.0)))
        ours[:, minute] = bodies.glucose()
    return {
        patient.name: {
            "largest_difference": float(np.abs(row - np.array(theirs[patient.name])).max()),
            "lowest": float(row.min()),
            "highest": float(row.max()),
        }
        for patient, row in zip(chosen, ours, strict=True)
    }


def speed() -> dict[str, Any]:
    """Patient-days a second of one core, by the number of lanes; therapy, sensor and meals included."""
    rng = stream(0, "speed")
    found: dict[str, Any] = {}
    for n in (1, 20, 200, 1000):
        lanes = [Lane(new_patient(GROUPS[i % 3], rng), STANDARD, draw_days(i, 1, 1)) for i in range(n)]
        began, wall = time.process_time(), time.perf_counter()
        outcomes(lanes)
        seconds = time.process_time() - began
        found[str(n)] = {
            "patient_days_a_cpu_second": n / seconds,
            "ms": 1000 * seconds / n,
            "wall_ms": 1000 * (time.perf_counter() - wall) / n,
        }
    return found


def mean(found: Sequence[Outcome]) -> dict[str, float]:
    """The means of some courses."""
    keys = ("inside", "below70", "below54", "above", "mean", "low_risk", "high_risk", "utility")
    return {key: float(np.mean([getattr(o, key) for o in found])) for key in keys}


def runs(patients: Sequence[Patient], settings: Sequence[Settings], seeds: Sequence[int]) -> np.ndarray:
    """Outcomes [patients, settings, seeds] of three days each, as objects."""
    lanes = [Lane(p, s, draw_days(seed, 3, 1)) for p in patients for s in settings for seed in seeds]
    found = np.empty(len(lanes), dtype=object)
    found[:] = outcomes(lanes)
    return found.reshape(len(patients), len(settings), len(seeds))


def baselines() -> dict[str, Any]:
    """Standard therapy, the best single setting of a group, and each patient's own, chosen on four runs of three days
    and shown on eight others, for the 30 published patients.
    """
    found: dict[str, Any] = {}
    training, test = range(1000, 1004), range(2000, 2008)
    for group in GROUPS:
        patients = [patient for patient in published() if patient.group == group]
        tried = np.vectorize(lambda o: o.utility)(runs(patients, GRID, training)).mean(axis=2)
        single = GRID[int(tried.mean(axis=0).argmax())]
        own = [GRID[int(at)] for at in tried.argmax(axis=1)]
        found[group] = {
            "single": str(single),
            "own": {p.name: str(s) for p, s in zip(patients, own, strict=True)},
            "standard": mean(list(runs(patients, [STANDARD], test).flat)),
            "best single": mean(list(runs(patients, [single], test).flat)),
            "best of each": mean(
                [o for p, s in zip(patients, own, strict=True) for o in runs([p], [s], test).flat]
            ),
        }
    return found


def champion(run: Path, count: int) -> dict[str, Any]:
    """What a champion sets for new patients, beside standard therapy, the single setting that is best for all of a
    group, and each patient's own of the grid. Both are chosen on four runs of three days; eight others are
    shown.

    `way` is how far the champion comes from the best single setting (0) to each patient's own (1), in utility.
    """
    from autotelic.api.champions import load_champion
    from autotelic.domains.insulin.domain import InsulinDomain, therapy_of
    from autotelic.types import Cell

    domain, rng = InsulinDomain(levels=(1,), modes=("settings",)), stream(0, "bench insulin patients")
    tasks = []
    for group in GROUPS:
        own = (domain.tasks(rng, [Cell(mode="settings", level=1)])[0] for _ in itertools.count())
        tasks += list(itertools.islice((task for task in own if task.secret["group"] == group), count))
    with load_champion(run) as found:
        groups = found._opened.policy.attempt(tasks, siblings=1, temperature=0.0, seed=0)
    said = [group.episodes[0].answer for group in groups]
    result: dict[str, Any] = {}
    training, test = range(1000, 1004), range(2000, 2008)
    for group in GROUPS:
        at = [i for i, task in enumerate(tasks) if task.secret["group"] == group]
        patients = [Patient.of("new", group, tasks[i].secret["patient"]) for i in at]
        tried = np.vectorize(lambda o: o.utility)(runs(patients, GRID, training)).mean(axis=2)
        single, own_best = (
            GRID[int(tried.mean(axis=0).argmax())],
            [GRID[int(i)] for i in tried.argmax(axis=1)],
        )
        therapies = [therapy_of(tasks[i], said[i]) for i in at]
        chosen = [STANDARD if isinstance(therapy, str) else therapy for therapy in therapies]
        each = {
            "standard": [STANDARD] * len(at),
            "best single": [single] * len(at),
            "best of each": own_best,
            "champion": chosen,
        }
        rows = {
            name: mean(
                [o for p, s in zip(patients, settings, strict=True) for o in runs([p], [s], test).flat]
            )
            for name, settings in each.items()
        }
        span = rows["best of each"]["utility"] - rows["best single"]["utility"]
        result[group] = {
            "single": str(single),
            "way": (rows["champion"]["utility"] - rows["best single"]["utility"]) / span if span else None,
            "no therapy": sum(isinstance(therapy, str) for therapy in therapies),
            "said": {str(tasks[i].prompt).strip(): said[i].strip() for i in at},
            **rows,
        }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("agree", "speed", "baselines", "champion"))
    parser.add_argument("--run", type=Path, help="whose champion is asked")
    parser.add_argument("--patients", type=int, default=10, help="new ones of each group, for the champion")
    parser.add_argument("--python", default="python", help="an interpreter that has simglucose")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.what == "champion" and given.run is None:
        parser.error("champion needs --run")
    found = {
        "agree": lambda: agree(given.python),
        "speed": speed,
        "baselines": baselines,
        "champion": lambda: champion(given.run, given.patients),
    }[given.what]()
    print(json.dumps(found, indent=1))
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
