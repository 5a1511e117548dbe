"""What oversight costs a run: the same short run with it and without it, in turn.

    python -m bench.oversight_cost --out docs/results/oversight/cost.json
    python -m bench.oversight_cost --generations 6 --gates 1 --repeats 2
    python -m bench.oversight_cost --run runs/default          # what the journal of a finished run says of it

A run cannot be had without oversight: nothing is trained without a lease. For this measurement alone the overseer is
replaced by one that allows everything and examines nobody, in this process. So the difference holds all of it: the
child's start, leases, beats, reports to the ledger, the exam auditor's gates, and what is read at the end of a
generation. The sizes are the default charter's; only the budget is set, in generations, so that both runs do the same
work. Beside the ratio stands what each kind of call to the overseer took of the run that has it: that is not blurred
by whatever else this machine does.

A default run of 850 s has 32 generations and 8 gates. `--gates` plans as many as the generations given here have.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from autotelic.charter import Charter
from autotelic.engine import overseen, start
from autotelic.errors import BrakedError
from autotelic.loop import run
from autotelic.machine import Machine
from autotelic.messages import Decided, GenerationBegan, Leased, RunStarted, StageBegan, StageEnded
from autotelic.oversee.client import RemoteOverseer
from autotelic.oversee.supervision import Supervision
from autotelic.record import Journal

_SPANS = (StageBegan.kind, StageEnded.kind, Decided.kind, GenerationBegan.kind, Leased.kind)
SHARE = 0.05
"""The most of the wall time that oversight is to cost."""
DEFAULT_GATES, DEFAULT_GENERATIONS = 8, 32
"""Of the default run, whose cost is reckoned from what one gate and one generation cost here."""


class Nobody:
    """Allows everything, asks nobody, and certifies nothing. It stands where `Supervision` does."""

    def __init__(self, first: str, blob: str) -> None:
        lease = SimpleNamespace(epoch=1, parent=first, level=0, clean=False)
        self.guard = SimpleNamespace(
            step=lambda tokens: None,
            check=lambda: None,
            beat=lambda: None,
            begin=lambda trip, champion, takeover=False: lease,
        )
        self.trust = SimpleNamespace(grade="A")
        self.certificates: dict[str, Any] = {}
        self._champion = (first, blob, -1)

    def __enter__(self) -> Nobody:
        return self

    def __exit__(self, *error: object) -> None:
        return None

    def champion(self) -> tuple[str, str, int]:
        return self._champion

    def allow(self, ref: str, blob: str, role: str) -> None:
        return None

    def claim(self, candidate: str, blob: str, evidence: Mapping[str, Any]) -> Any:
        raise BrakedError("nobody examines here", "this is a measurement")

    def report(self, leaves: object, level: int, reason: str) -> None:
        return None

    def finish(self) -> None:
        return None

    def watch(self, stop: object) -> Any:
        return SimpleNamespace(close=lambda: None)


@contextmanager
def unwatched() -> Iterator[None]:
    """Runs begun in here are under no oversight."""
    real = start.overseer_of
    start.overseer_of = lambda place, charter, machine, run, first, blob: Nobody(first, blob)  # type: ignore[assignment, return-value]
    try:
        yield
    finally:
        start.overseer_of = real


@contextmanager
def timed(spent: dict[str, list[float]]) -> Iterator[None]:
    """Seconds of each call of the overseer by its name, and of beginning and ending it."""
    ask, begin, leave = RemoteOverseer.ask, Supervision.begin, Supervision.__exit__

    def asked(self: RemoteOverseer, call: str, *given: Any, **more: Any) -> Any:
        began = time.perf_counter()
        try:
            return ask(self, call, *given, **more)
        finally:
            spent[call].append(time.perf_counter() - began)

    def begun(*given: Any, **more: Any) -> Any:
        began = time.perf_counter()
        try:
            return begin(*given, **more)
        finally:
            spent["start of the child"].append(time.perf_counter() - began)

    def left(self: Supervision, *error: Any) -> None:
        began = time.perf_counter()
        leave(self, *error)
        spent["end of the child"].append(time.perf_counter() - began)

    RemoteOverseer.ask, Supervision.begin, Supervision.__exit__ = asked, begun, left  # type: ignore[assignment, method-assign]
    try:
        yield
    finally:
        RemoteOverseer.ask, Supervision.begin, Supervision.__exit__ = ask, begin, leave  # type: ignore[method-assign]


def charter_of(generations: int, gates: int, seed: int) -> Charter:
    """The default charter, for so many generations. The last gate is at the end."""
    return Charter().replace(
        {
            "seed": seed,
            "budget.seconds": 0.0,
            "budget.generations": generations,
            "gate.planned": gates,
            "exam.every": max(1, generations // max(1, gates)),
        }
    )


def one(charter: Charter, machine: Machine, *, with_it: bool) -> tuple[float, dict[str, list[float]], Any]:
    """Wall seconds of a run, what its calls took, and its summary."""
    spent: dict[str, list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as place, timed(spent) if with_it else unwatched():
        began = time.perf_counter()
        summary = run(charter, Path(place) / "run", machine=machine)
        return time.perf_counter() - began, spent, summary


def measured(generations: int, gates: int, repeats: int, machine: Machine) -> dict[str, Any]:
    """Pairs of runs, each with and without, the order changed from pair to pair."""
    pairs: list[dict[str, Any]] = []
    for repeat in range(repeats):
        charter = charter_of(generations, gates, seed=repeat)
        found: dict[bool, tuple[float, dict[str, list[float]], Any]] = {}
        for with_it in (True, False) if repeat % 2 == 0 else (False, True):
            found[with_it] = one(charter, machine, with_it=with_it)
            print(f"seed {repeat}, {'with' if with_it else 'without'}: {found[with_it][0]:.1f} s", flush=True)
        seconds, spent, summary = found[True]
        calls = {call: [len(times), round(sum(times), 3)] for call, times in sorted(spent.items())}
        inside = sum(total for call, (_, total) in calls.items() if call != "begin")
        pairs.append(
            {
                "with_s": round(seconds, 2),
                "without_s": round(found[False][0], 2),
                "ratio": round(seconds / found[False][0], 4),
                "calls": calls,
                "in_calls_s": round(inside, 2),
                "in_calls_share": round(inside / seconds, 4),
                "stage_watch_s": summary["stage_seconds"].get("watch", 0.0),
                "per_gate_s": round(statistics.mean(spent["claim"]), 2) if spent["claim"] else None,
            }
        )
    return {"generations": generations, "gates": gates, "pairs": pairs, **reckoned(pairs, generations)}


def reckoned(pairs: list[dict[str, Any]], generations: int) -> dict[str, Any]:
    """The median ratio, and the share that the default run's gates and generations come to by these calls."""
    gates = [pair["per_gate_s"] for pair in pairs if pair["per_gate_s"] is not None]
    rest = [pair["in_calls_s"] - pair["calls"].get("claim", [0, 0.0])[1] for pair in pairs]
    seconds = statistics.median(pair["without_s"] for pair in pairs) / generations
    gate = statistics.median(gates) if gates else 0.0
    cost = DEFAULT_GATES * gate + DEFAULT_GENERATIONS * statistics.median(rest) / generations
    return {
        "ratio_median": statistics.median(pair["ratio"] for pair in pairs),
        "gate_s": gate,
        "rest_per_generation_s": round(statistics.median(rest) / generations, 3),
        "default_run_share": round(cost / (DEFAULT_GENERATIONS * seconds), 4),
        "asked": SHARE,
    }


def of_a_run(folder: Path) -> dict[str, Any]:
    """What the journal of a finished run says: seconds of its gates, leases, and the stage that watches.

    A gate is from the beginning of its stage to the decision: the trainer waits all that time. Reports and the start
    of the child have no span; they are in the calls of a measured run.
    """
    gates: list[dict[str, Any]] = []
    leases, watched, stages, stage, asked = 0.0, 0.0, 0.0, 0.0, 0.0
    with Journal.open(folder) as journal:
        started = journal.latest(RunStarted)
        for message in journal.each_message(kinds=_SPANS):
            match message:
                case StageBegan():
                    stage = message.time
                case StageEnded():
                    stages += message.seconds
                    watched += message.seconds if message.stage == "watch" else 0.0
                case Decided():
                    told = {"generation": message.generation, "verdict": message.decision.verdict}
                    gates.append({**told, "seconds": round(message.time - stage, 2)})
                case GenerationBegan():
                    asked = message.time
                case Leased() if asked:
                    leases, asked = leases + message.time - asked, 0.0
    total = sum(gate["seconds"] for gate in gates)
    return {
        "run": "" if started is None else started.run,
        "commit": "" if started is None else started.commit,
        "stages_s": round(stages, 1),
        "gates": gates,
        "gates_s": round(total, 1),
        "fastest_gate_s": min((gate["seconds"] for gate in gates), default=None),
        "leases_s": round(leases, 2),
        "watch_s": round(watched, 2),
        "share": round((total + leases + watched) / stages, 4) if stages else None,
        "asked": SHARE,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--generations", type=int, default=8)
    parser.add_argument("--gates", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=2)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--run", type=Path, help="a finished run instead, from the spans of its journal")
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    if given.run is not None:
        found = {"command": "python -m bench.oversight_cost --run RUN", **of_a_run(given.run)}
        print(json.dumps(found, indent=1))
        if given.out:
            given.out.write_text(json.dumps(found, indent=1) + "\n")
        return
    machine = Machine(threads=given.threads, workers=1, auditors=overseen.AUDITORS)
    found = measured(given.generations, given.gates, given.repeats, machine)
    print(json.dumps({key: value for key, value in found.items() if key != "pairs"}, indent=1))
    if given.out:
        given.out.write_text(
            json.dumps({"command": "python -m bench.oversight_cost", **found}, indent=1) + "\n"
        )


if __name__ == "__main__":
    main()
