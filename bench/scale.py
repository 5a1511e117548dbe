"""What a cluster would do: a discrete-event simulator of a run, calibrated from the stages of a real one.

    python -m bench.scale RUN [--json scale.json]       calibrate from a run folder; 1 to 10,000 GPUs
    python -m bench.scale --measure [--generations 4]   real runs with 1, 2 and 4 workers beside the predictions

A generation is a chain: sample, judge, learn, send the weights, and what the loop does alone. Sampling and judging
are cut into parts that workers of their kind take; a part whose worker dies is done again. Every number that is
assumed and not measured is in `ASSUMED`, and is printed with the result. Costs of stages come from `stage.ended` in
a journal.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import random
import tempfile
import time
from collections import defaultdict
from collections.abc import Generator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import simpy

SAMPLED = ("propose", "attempt", "draft", "seek", "examine", "audit")
"""Stages whose time is mostly sampling. `examine` is judged too; the greedy exam costs little of it."""
JUDGED = ("admit", "judge")
LEARNED = ("learn",)
MEASURED = """
purpose = "Stages to calibrate from, and to compare with."
[domain]
levels = [1, 1]
[curriculum]
bootstrap_generations = 1
tasks_per_generation = 192
probe_tasks = 8
group_size = 4
[exam]
items_per_cell = 1
levels = [1, 1]
every = 50
own_items = 0
samples = 1
[gate]
items = 8
answers = 2
planned = 1
[budget]
seconds = 0.0
generations = {generations}
"""
"""The charter of the real runs: the default model, on programs of level 1."""
GPUS = (1, 2, 4, 8, 16, 64, 256, 1024, 4096, 10_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """A large run, by numbers that nobody here has measured. Costs are of one GPU."""

    parameters: float = 7e9
    sampled_tokens: float = 16e6
    """Tokens a generation: 2,048 prompts of 8 completions of 1,000 tokens."""
    decode_tokens_s: float = 2500.0
    """A 7B model in bfloat16 on one H100-class GPU, batched."""
    flops: float = 990e12
    """Dense bfloat16 peak of the same GPU."""
    utilisation: float = 0.35
    """Share of the peak that training reaches."""
    judge_s: float = 0.05
    """CPU seconds to judge one completion in a sandbox."""
    judges_per_gpu: float = 8.0
    """CPU cores a GPU that judge."""
    loop_s: float = 5.0
    """Seconds a generation that the loop works alone: journal, curriculum, novelty."""
    link_bytes_s: float = 25e9
    """A 200 Gbit/s link of each node."""
    latency_s: float = 1e-3
    mtbf_h: float = 20_000.0
    """Hours between failures of one worker."""
    restart_s: float = 120.0
    """Seconds from a failure to a worker that works again."""
    price_h: float = 2.5
    """Dollars a GPU and hour."""


ASSUMED = Assumed()


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """Seconds that one worker takes for a generation's work of each kind, and bytes of the weights that travel."""

    sample: float
    judge: float
    learn: float
    loop: float
    weights: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Workers of each kind. `parts` is how many a call is cut into, 0 for one a worker; `cores` bounds what computes
    at once, 0 for no bound. `scaling` is the share of a learner that each further one adds.
    """

    samplers: int
    judges: int
    learners: int = 1
    parts: int = 0
    cores: int = 0
    scaling: float = 0.9
    latency: float = 1e-3
    link: float = 1e9
    mtbf: float = math.inf
    restart: float = 0.0


@dataclass(slots=True)
class Outcome:
    """Seconds of a generation, busy seconds by kind, and work that was done again, in seconds."""

    seconds: float
    busy: dict[str, float]
    again: float

    @property
    def bottleneck(self) -> str:
        """What the chain waits for longest."""
        return max(self.busy, key=lambda kind: self.busy[kind])


def simulate(costs: Costs, fleet: Fleet, *, generations: int = 5, seed: int = 0) -> Outcome:
    """The mean of so many generations."""
    env, rng = simpy.Environment(), random.Random(seed)
    busy: dict[str, float] = defaultdict(float)
    lost = [0.0]
    cores = simpy.Resource(env, fleet.cores) if fleet.cores else None
    pools = {
        kind: simpy.Resource(env, n) for kind, n in (("sample", fleet.samplers), ("judge", fleet.judges))
    }

    def part(kind: str, seconds: float) -> Generator[Any, Any, None]:
        with pools[kind].request() as worker:
            yield worker
            while True:
                fails = rng.expovariate(1 / fleet.mtbf) if math.isfinite(fleet.mtbf) else math.inf
                took = min(seconds, fails)
                yield from compute(took + fleet.latency)
                if fails >= seconds:
                    return
                lost[0] += took
                yield env.timeout(fleet.restart)

    def compute(seconds: float) -> Generator[Any, Any, None]:
        if cores is None:
            yield env.timeout(seconds)
            return
        with cores.request() as core:
            yield core
            yield env.timeout(seconds)

    def cut(kind: str, seconds: float, workers: int) -> Generator[Any, Any, None]:
        began, count = env.now, fleet.parts or workers
        yield simpy.AllOf(env, [env.process(part(kind, seconds / count)) for _ in range(count)])
        busy[kind] += env.now - began

    def alone(kind: str, seconds: float) -> Generator[Any, Any, None]:
        began = env.now
        yield from compute(seconds)
        busy[kind] += env.now - began

    def run() -> Generator[Any, Any, None]:
        for _ in range(generations):
            yield from cut("sample", costs.sample, fleet.samplers)
            yield from cut("judge", costs.judge, fleet.judges)
            learners = 1 + fleet.scaling * (fleet.learners - 1)
            shared = 2 * costs.weights / fleet.link if fleet.learners > 1 else 0.0
            yield from alone("learn", costs.learn / learners + shared)
            # A tree: each node that has the weights sends them on.
            hops = math.ceil(math.log2(fleet.samplers + 1))
            yield from alone("weights", hops * (costs.weights / fleet.link + fleet.latency))
            yield from alone("loop", costs.loop)

    env.run(until=env.process(run()))
    return Outcome(
        env.now / generations, {k: v / generations for k, v in busy.items()}, lost[0] / generations
    )


def costs_of(folder: Path, first: int = 2) -> Costs:
    """What a real run spent a generation, from generation `first` on: the first is unlike the others."""
    from autotelic.messages import GenerationEnded, StageEnded
    from autotelic.record import Journal

    seconds: dict[str, float] = defaultdict(float)
    generations = 0
    with Journal.open(folder) as journal:
        for message in journal.read():
            if isinstance(message, GenerationEnded) and message.generation >= first:
                generations += 1
                seconds["whole"] += message.seconds
            if isinstance(message, StageEnded) and message.generation >= first:
                seconds[message.stage] += message.seconds
    size = max(path.stat().st_size for path in (folder / "champion").glob("*.safetensors"))
    kinds = {"sample": SAMPLED, "judge": JUDGED, "learn": LEARNED}
    found = {kind: sum(seconds[name] for name in names) / generations for kind, names in kinds.items()}
    loop = max(0.0, seconds["whole"] / generations - sum(found.values()))
    return Costs(**found, loop=loop, weights=float(size))


def large(assumed: Assumed) -> Costs:
    """One GPU's costs of the assumed run."""
    completions = assumed.sampled_tokens / 1000
    return Costs(
        sample=assumed.sampled_tokens / assumed.decode_tokens_s,
        judge=completions * assumed.judge_s,
        learn=6 * assumed.parameters * assumed.sampled_tokens / (assumed.flops * assumed.utilisation),
        loop=assumed.loop_s,
        weights=2 * assumed.parameters,
    )


def plan(gpus: int, assumed: Assumed) -> dict[str, Any]:
    """The best split of so many GPUs between samplers and learners, of a few that are tried."""
    best: tuple[float, int, Outcome] | None = None
    for share in (0.1, 0.2, 0.3, 0.4, 0.5):
        learners = max(1, min(gpus - 1, round(gpus * share)))
        fleet = Fleet(
            samplers=max(1, gpus - learners),
            judges=max(1, int(gpus * assumed.judges_per_gpu)),
            learners=learners,
            link=assumed.link_bytes_s,
            latency=assumed.latency_s,
            mtbf=assumed.mtbf_h * 3600,
            restart=assumed.restart_s,
        )
        found = simulate(large(assumed), fleet, generations=2)
        if best is None or found.seconds < best[0]:
            best = found.seconds, learners, found
    assert best is not None
    seconds, learners, outcome = best
    hours = gpus * seconds / 3600
    return {
        "gpus": gpus,
        "learners": learners,
        "generation_s": round(seconds, 1),
        "tokens_s": round(assumed.sampled_tokens / seconds),
        "efficiency": round(plan_one(assumed) / (seconds * gpus), 3),
        "bottleneck": outcome.bottleneck,
        "again_s": round(outcome.again, 2),
        "dollars_per_million_tokens": round(hours * assumed.price_h / assumed.sampled_tokens * 1e6, 3),
    }


def plan_one(assumed: Assumed) -> float:
    """Seconds of a generation on one GPU that samples and learns in turn."""
    costs = large(assumed)
    return costs.sample + costs.judge / assumed.judges_per_gpu + costs.learn + costs.loop


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Rows as a Markdown table."""
    names = list(rows[0])
    lines = [" | ".join(names), "|".join("---" for _ in names)]
    lines += [" | ".join(str(row[name]) for name in names) for row in rows]
    return "\n".join(f"| {line} |" for line in lines)


class Slowness:
    """How slow this machine is while a run goes on: seconds that a fixed piece of work takes, tried after each stage.

    Other work on the machine takes from all runs, and not from all alike; predictions are for a machine as slow as
    the run's was.
    """

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self._factor = np.full((192, 192), 1 / 192, np.float32)

    def __call__(self, message: object) -> None:
        from autotelic.messages import StageEnded

        if isinstance(message, StageEnded) and message.generation:
            began = time.perf_counter()
            for _ in range(60):
                self._factor @ self._factor
            self.seconds.append(time.perf_counter() - began)

    @property
    def mean(self) -> float:
        return sum(self.seconds) / len(self.seconds)


def measure(generations: int, cores: int, counts: Sequence[int]) -> list[dict[str, Any]]:
    """Real runs with so many local workers, each beside what the run with one predicts for it."""
    from autotelic.charter import Charter
    from autotelic.loop import run
    from autotelic.machine import Machine

    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="autotelic-scale-") as name:
        path = Path(name) / "charter.toml"
        path.write_text(MEASURED.format(generations=generations))
        costs: Costs | None = None
        calibrated = 1.0
        for workers in counts:
            folder = Path(name) / f"run-{workers}"
            began = time.perf_counter()
            machine = Machine(engine="ray", threads=4, workers=1, samplers=workers, judges=workers)
            slow = Slowness()
            run(Charter.load(path), folder, machine=machine, watch=slow)
            wall = time.perf_counter() - began
            found = costs_of(folder)
            if costs is None:
                calibrated = slow.mean
                # One sampler computes with four threads already: its work is that of as many as there are cores.
                costs = replace(found, sample=found.sample * min(4, cores))
            measured = found.sample + found.judge + found.learn + found.loop
            fleet = Fleet(samplers=4, judges=workers, parts=4, cores=cores)
            quiet = simulate(costs, fleet).seconds
            predicted = quiet * slow.mean / calibrated
            rows.append(
                {
                    "workers": workers,
                    "measured_s": round(measured, 2),
                    "predicted_s": round(predicted, 2),
                    "off": f"{100 * (predicted / measured - 1):+.0f} %",
                    "slowness": round(slow.mean / calibrated, 2),
                    "load": round(os.getloadavg()[0], 1),
                    "run_s": round(wall, 1),
                    **{
                        f"{kind}_s": round(value, 2)
                        for kind, value in asdict(found).items()
                        if kind != "weights"
                    },
                }
            )
            print(rows[-1], flush=True)
    return rows


def main() -> None:
    """Print tables of what is predicted, and of what was measured beside it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, nargs="?", help="a run folder to calibrate from")
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--generations", type=int, default=4)
    parser.add_argument("--workers", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--json", type=Path)
    given = parser.parse_args()
    report: dict[str, Any] = {"assumed": asdict(ASSUMED), "cores": os.cpu_count(), "load": os.getloadavg()}
    print(table([{"assumed": name, "value": value} for name, value in asdict(ASSUMED).items()]) + "\n")
    report["large"] = [plan(gpus, ASSUMED) for gpus in GPUS]
    print(table(report["large"]) + "\n")
    if given.run is not None:
        costs = costs_of(given.run)
        report["costs"] = asdict(costs)
        report["local"] = [
            {
                "workers": n,
                "generation_s": round(simulate(costs, Fleet(samplers=n, judges=n, parts=4)).seconds, 2),
            }
            for n in (1, 2, 4, 8)
        ]
        print(table([{k: round(v, 3) for k, v in asdict(costs).items()}]) + "\n\n" + table(report["local"]))
    if given.measure:
        report["measured"] = measure(given.generations, len(os.sched_getaffinity(0)), given.workers)
        print(table(report["measured"]))
    if given.json:
        given.json.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
