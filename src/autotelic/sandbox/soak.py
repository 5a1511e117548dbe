"""A soak: random programs by the hundred thousand, after which nothing may be left behind."""

from __future__ import annotations

import os
import random
import resource
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from autotelic.sandbox.pool import Sandbox
from autotelic.sandbox.run import Job, Limits

KINDS = {
    "ok": "def f(x):\n    return [x, {n}, 'abc'[:{k}]]\n",
    "error": "def f(x):\n    return [x][{n} + 1]\n",
    "refused": "def f(x) return {n}\n",
    "crashed": "import os\ndef f(x):\n    os._exit({k})\n",
    "output": "def f(x):\n    return ['x' * 100_000, {n}]\n",
    "memory": "def f(x):\n    return len(bytearray(1 << 40)) + {n}\n",
    "timeout": "def f(x):\n    while {n} + 1: pass\n",
}
WEIGHTS = (60, 12, 8, 8, 5, 5, 2)
"""How often each comes; each is named for the status it must get."""
WARM_UP = 2000
"""Programs before the first count of what is held: buffers and caches have reached their size by then."""


def jobs(rng: random.Random, end: float) -> Iterator[tuple[object, Job]]:
    """Random programs until the time is up, each beside the status it must get."""
    while time.monotonic() < end:
        kind = rng.choices(list(KINDS), WEIGHTS)[0]
        source = KINDS[kind].format(n=rng.randrange(10**9), k=rng.randrange(3))
        yield kind, Job(source=source, entry="f", inputs=([1],))


def held() -> dict[str, int]:
    """What this process holds: descriptors, its own memory in KiB, its descendants, and temporary files."""
    rows = [line.split() for line in Path("/proc/self/status").read_text().splitlines()]
    memory = next(int(row[1]) for row in rows if row[0] == "VmRSS:")
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "memory_kb": memory,
        "processes": len(_descendants(os.getpid())),
        "temporary files": len(os.listdir("/tmp")),
    }


def _descendants(pid: int) -> list[int]:
    try:
        own = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    found = [int(child) for child in own]
    return found + [below for child in found for below in _descendants(child)]


def soak(seconds: float, workers: int | None = None, level: str = "L3", seed: int = 0) -> int:
    """Run for so long and print what came of it; 1 if a status was wrong or something was left behind."""
    statuses: Counter[str] = Counter()
    wrong: Counter[str] = Counter()
    rng, start, count, before = random.Random(seed), time.monotonic(), 0, held()
    early = before
    limits = Limits(wall_s=0.5, cpu_s=0.5, memory_mb=128)
    with Sandbox(limits, workers=workers, require=level, cache=256) as box:
        for kind, run in box.stream(jobs(rng, start + seconds)):
            count += 1
            statuses[run.status] += 1
            if run.status != kind:
                wrong[f"{kind} got {run.status}: {run.reason[:80]}"] += 1
            if count == WARM_UP:
                early = held()
        late = held()
    after = held()
    elapsed = time.monotonic() - start
    print(f"{count} programs in {elapsed:.0f} s ({count / elapsed:.0f}/s) at {level}: {dict(statuses)}")
    print(f"held after {min(count, WARM_UP)}: {early}\nheld at the end: {late}\nheld once closed: {after}")
    print(f"peak memory of a process inside: {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss} KiB")
    for text, times in wrong.items():
        print(f"WRONG {times} x {text}")
    leaks = [name for name in ("descriptors", "processes") if late[name] > early[name] and count > WARM_UP]
    leaks += ["processes once closed"] if after["processes"] > before["processes"] else []
    leaks += ["memory"] if count > WARM_UP and late["memory_kb"] > early["memory_kb"] + 4096 else []
    for leak in leaks:
        print(f"LEFT BEHIND {leak}")
    return 1 if leaks or wrong else 0
