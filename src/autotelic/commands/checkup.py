"""`autotelic doctor`: what this machine can do."""

from __future__ import annotations

import json
from pathlib import Path

from autotelic.commands import Json


def doctor(folder: Path = Path("runs"), *, as_json: Json = False) -> int:
    """Say what this machine can do, and what to do about what it cannot; exit code 1 if there is advice.

    Parameters
    ----------
    folder
        Where runs would go, to look at the space there.
    """
    from autotelic.dashboard.doctor import examine
    from autotelic.dashboard.wording import count

    found = examine(folder)
    if as_json:
        print(json.dumps(found.as_json(), indent=2))
        return 1 if found.advice else 0
    rates = ", ".join(
        f"{rate:g} GFLOP/s on {threads} thread{'s' * (threads > 1)}"
        for threads, rate in found.gemm_gflops.items()
    )
    memory = "unknown" if found.memory_gb is None else f"{found.memory_gb:.1f} GB free"
    facts = {
        "python": found.python,
        "machine": found.machine,
        "processor": f"{found.processor}, {count(found.cores)} cores for this process",
        "memory": memory,
        "disk": f"{found.disk_gb:.1f} GB free",
        "packages": ", ".join(f"{name} {version}" for name, version in found.packages.items()),
        "speed": f"{rates} (products of float32 matrices)" if rates else "not measured",
        "sandbox": found.sandbox,
    }
    for name, fact in facts.items():
        print(f"{name:<10} {fact}")
    if not folder.exists():
        print(f"{'folder':<10} {folder} does not exist yet; a run makes it")
    for advice in found.advice:
        print(f"advice     {advice}")
    print(f"{'ready':<10} {'yes, start with: autotelic run' if not found.advice else 'see the advice above'}")
    return 1 if found.advice else 0
