"""A soak: random programs by the hundred thousand, after which nothing may be left behind."""

from __future__ import annotations

import contextlib
import os
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from autotelic.sandbox.fuzz import ANY, draw
from autotelic.sandbox.pool import Sandbox
from autotelic.sandbox.run import Job, Limits, Run

WARM_UP = 2000
"""Programs before the first count of what is held: buffers and caches have reached their size by then."""
STATUSES = ("ok", "error", "timeout", "memory", "output", "refused", "crashed")
GRACE_S = 0.5
"""How long after its limit a program may have its verdict at the latest."""
MOST_SUSPECTS = 200
CAGED_UID = 0x70000000
"""The uids that cages take as root start here."""


def jobs(rng: random.Random, end: float, programs: int | None) -> Iterator[tuple[tuple[str, Job], Job]]:
    """Random programs until the time is up or there were so many, each beside itself and its due status."""
    for _ in count() if programs is None else range(programs):
        if time.monotonic() > end:
            return
        status, job = draw(rng)
        yield (status, job), job


def held() -> dict[str, int]:
    """What this process holds: descriptors, its own memory in KiB, and its descendants."""
    rows = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    memory = next(int(row[1]) for row in rows if row[0] == "VmRSS:")
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "memory_kb": memory,
        "processes": len(_descendants(os.getpid())),
    }


def _descendants(pid: int) -> list[int]:
    try:
        own = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    found = [int(child) for child in own]
    return found + [below for child in found for below in _descendants(child)]


def strays(since: float) -> list[str]:
    """Files made since then, in the machine's temporary folders, that a program inside could have made."""
    found = []
    for folder in ("/tmp", "/dev/shm", "/var/tmp"):
        with contextlib.suppress(OSError):
            for entry in os.scandir(folder):
                with contextlib.suppress(OSError):
                    status = entry.stat(follow_symlinks=False)
                    caged = (
                        status.st_uid >= CAGED_UID if os.geteuid() == 0 else "autotelic-fuzz" in entry.name
                    )
                    if caged and status.st_ctime >= since:
                        found.append(entry.path)
    return found


@dataclass(slots=True)
class Findings:
    """What a soak found wrong: counts by what was said, and programs whose verdict came late once."""

    statuses: Counter[str] = field(default_factory=Counter)
    wrong: Counter[str] = field(default_factory=Counter)
    suspects: list[Job] = field(default_factory=list)
    slowest_s: float = 0.0

    def note(self, due: str, job: Job, run: Run, seconds: float, limits: Limits) -> None:
        """Take in one run, `seconds` after the one before it was done."""
        self.statuses[run.status] += 1
        self.slowest_s = max(self.slowest_s, run.usage.wall_s)
        if run.status not in STATUSES or (due != ANY and run.status != due):
            self.wrong[f"{due or 'any status'} got {run.status}: {run.reason[:80]}"] += 1
        if len(run.outputs) != len(job.inputs) or (run.ok and None in run.outputs):
            self.wrong[f"{run.status} with {len(run.outputs)} outputs for {len(job.inputs)} cases"] += 1
        if max(seconds, run.usage.wall_s) > limits.wall_s + GRACE_S:
            self.suspects.append(job)

    def ask_again(self, box: Sandbox, grace_s: float = GRACE_S) -> None:
        """A busy machine is late once, a program that is late is so every time: ask for those alone, twice."""
        for job in self.suspects[:MOST_SUSPECTS]:
            waits = []
            for again in range(2):
                start = time.monotonic()
                box.run(f"{job.source}\n# {again}", entry=job.entry, inputs=job.inputs)
                waits.append(time.monotonic() - start)
            if min(waits) > box.limits.wall_s + grace_s:
                self.wrong[f"a verdict after {min(waits):.2f} s: {job.source[:200]!r}"] += 1


def soak(
    seconds: float,
    workers: int | None = None,
    level: str = "L3",
    seed: int = 0,
    programs: int | None = None,
    core: bool = True,
) -> int:
    """Run for so long, or so many programs, and print what came of it.

    Returns 1 if a status was wrong, a verdict late, or something was left behind.
    """
    found = Findings()
    start, since, done, before = time.monotonic(), time.time(), 0, held()
    early, last = before, start
    limits = Limits(wall_s=0.5, cpu_s=0.5, memory_mb=128)
    with Sandbox(limits, workers=workers, require=level, ceiling=level, cache=256, core=core) as box:
        for (due, job), run in box.stream(jobs(random.Random(seed), start + seconds, programs)):
            done += 1
            now = time.monotonic()
            found.note(due, job, run, now - last, limits)
            last = now
            if done == WARM_UP:
                early = held()
        late = held()
        found.ask_again(box)
    after = held()
    elapsed = time.monotonic() - start
    print(f"{done} programs in {elapsed:.0f} s ({done / elapsed:.0f}/s) at {level}, seed {seed}")
    print(f"statuses: {dict(found.statuses.most_common())}")
    print(f"held after {min(done, WARM_UP)}: {early}\nheld at the end: {late}\nheld once closed: {after}")
    print(f"longest a program lived: {found.slowest_s:.2f} s, of {limits.wall_s} s allowed")
    print(f"verdicts more than {GRACE_S} s over the limit at first: {len(found.suspects)}; each asked again")
    print(f"peak memory of a process inside: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss} KiB")
    for text, times in found.wrong.items():
        print(f"WRONG {times} x {text}")
    leaks = [name for name in ("descriptors", "processes") if late[name] > early[name] and done > WARM_UP]
    leaks += ["processes once closed"] if after["processes"] > before["processes"] else []
    leaks += ["memory"] if done > WARM_UP and late["memory_kb"] > early["memory_kb"] + 4096 else []
    leaks += strays(since)
    for leak in leaks:
        print(f"LEFT BEHIND {leak}")
    if not leaks:
        print("nothing was left behind")
    return 1 if leaks or found.wrong else 0
