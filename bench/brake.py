"""What the brake costs, and how soon it acts: a real child process with its ledger and its witness.

    python -m bench.brake --out docs/results/oversight

A trainer takes steps of 20 ms. Then another process sets the brake to stop; the time until the trainer's next step is
refused is measured, and how many steps it still took. Beats, leases and claims are timed too.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from autotelic.errors import BrakedError
from autotelic.oversee.supervision import Supervision

STEP = 0.02
"""Seconds that a step of the pretended trainer takes."""
AUDITOR = "examples.short_answers:ShortAnswers"
EVIDENCE = {"length": {"parent": 1, "candidate": 1}}


def timed(call: Callable[[], Any]) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    call()
    return 1000 * (time.perf_counter() - began)


def store(run: Path, content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    (run / "weights").mkdir(exist_ok=True)
    (run / "weights" / f"{digest}.safetensors").write_bytes(content)
    return f"sha256:{digest}"


def opened(run: Path) -> Supervision:
    start = store(run, b"start")
    return Supervision.begin(
        run / "oversight", run="bench", charter="sha256:c", start=start, blob=start, auditors=[AUDITOR]
    )


def costs(repeats: int) -> dict[str, float]:
    """Medians of beats, leases and claims, in milliseconds."""
    with tempfile.TemporaryDirectory() as place, opened(Path(place)) as supervision:
        guard, run = supervision.guard, Path(place)
        champion = supervision.trust.start
        leases, beats, claims = [], [], []
        for i in range(repeats):
            leases.append(timed(lambda: guard.begin(i, champion)))  # noqa: B023
            beats += [timed(guard.beat) for _ in range(5)]
            champion = store(run, f"weights {i}".encode())
            claims.append(timed(lambda: guard.claim(champion, champion, EVIDENCE)))  # noqa: B023
    return {
        name: round(statistics.median(values), 2)
        for name, values in (("lease_ms", leases), ("beat_ms", beats), ("claim_ms", claims))
    }


def stops(repeats: int) -> list[dict[str, float]]:
    """How soon `brake set stop` of another process ends the training."""
    rows = []
    for _ in range(repeats):
        with tempfile.TemporaryDirectory() as place, opened(Path(place)) as supervision:
            supervision.guard.begin(1, supervision.trust.start)
            command = [sys.executable, "-m", "autotelic.cli", "brake", "set", "stop", place, "--json"]
            setting = threading.Thread(
                target=subprocess.run, args=(command,), kwargs={"capture_output": True}
            )
            ends: list[tuple[float, int]] = []
            watched: list[float] = []
            watching = supervision.watch(lambda why: watched.append(time.perf_counter()))  # noqa: B023
            setting.start()
            set_at: list[float] = []
            looking = threading.Thread(target=_when_set, args=(supervision, set_at))
            looking.start()
            after = 0
            while not ends:
                try:
                    supervision.guard.step(1)
                    after += bool(set_at)
                    time.sleep(STEP)
                except BrakedError:
                    ends.append((time.perf_counter(), after))
            setting.join()
            looking.join()
            while not watched:
                time.sleep(0.01)
            watching.close()
            rows.append(
                {
                    "step_refused_after_s": round(ends[0][0] - set_at[0], 3),
                    "steps_after": ends[0][1],
                    "watch_after_s": round(watched[0] - set_at[0], 3),
                }
            )
    return rows


def _when_set(supervision: Supervision, found: list[float]) -> None:
    """When the brake's own state says that it is set, to 5 ms."""
    while supervision.overseer.status()["level"] < 3:
        time.sleep(0.005)
    found.append(time.perf_counter())


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=10)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    found = {"costs": costs(given.repeats), "stops": stops(given.repeats), "step_s": STEP}
    print(json.dumps(found, indent=1))
    if given.out is not None:
        given.out.mkdir(parents=True, exist_ok=True)
        (given.out / "brake.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
