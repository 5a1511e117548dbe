"""Random updates of a run, computed again from its journal: do all give the recorded digest, bit for bit?

    python -m bench.replays RUN [--updates 20] [--seed 0] [--only-first N] [--out FILE]

The same as `autotelic replay RUN STEP` for each, in one pass from each kept checkpoint: every update on the way must
begin from the weights that the journal says. `--only-first N` draws from the first N updates after each kept
checkpoint, for a machine with little time. Then all decisions are computed again, as `autotelic audit RUN` does.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

from autotelic.engine.replay import learn_again, workplace
from autotelic.learn.pack import Trace
from autotelic.learn.stage import packed
from autotelic.messages import Updated
from autotelic.record import Journal, RunFolder
from autotelic.record import checkpoint as checkpoints


def drawn(journal: Journal, folder: RunFolder, count: int, seed: int, first: int) -> dict[int, list[Updated]]:
    """Random updates by the generation of the checkpoint that they are computed from."""
    kept = checkpoints.generations(folder.checkpoints)
    after: dict[int, list[Updated]] = defaultdict(list)
    for message in journal.each_message(kinds=(Updated.kind,)):
        if isinstance(message, Updated) and not message.report.skipped:
            after[max(g for g in kept if g < message.generation)].append(message)
    able = [(g, update) for g, updates in after.items() for update in updates[: first or len(updates)]]
    found: dict[int, list[Updated]] = defaultdict(list)
    for generation, update in random.Random(seed).sample(able, min(count, len(able))):
        found[generation].append(update)
    return {g: sorted(updates, key=lambda u: u.step) for g, updates in sorted(found.items())}


def computed(folder: RunFolder, journal: Journal, wanted: list[Updated]) -> list[dict[str, Any]]:
    """These updates of one checkpoint, computed again in one pass."""
    rows: list[dict[str, Any]] = []
    steps = {update.step for update in wanted}
    with workplace(folder, journal, wanted[-1]) as (services, found):
        count = 0

        def learn(message: Updated, traces: list[Trace]) -> None:
            nonlocal count
            before = services.weights.digest()
            if before != message.before:
                sys.exit(f"before update {message.step} the weights are {before}, recorded {message.before}")
            services.learner.step(packed(services, traces), message.rate)
            count += 1
            if message.step in steps:
                after = services.weights.digest()
                rows.append(
                    {
                        "step": message.step,
                        "checkpoint": found.generation,
                        "updates": count,
                        "recorded": message.after,
                        "computed": after,
                        "same": after == message.after,
                    }
                )

        learn_again(services, journal, found, wanted[-1], learn)
    return rows


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--updates", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only-first", type=int, default=0)
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    folder, began, rows = RunFolder.open(given.run), time.perf_counter(), []
    with Journal.open(given.run) as journal:
        for wanted in drawn(journal, folder, given.updates, given.seed, given.only_first).values():
            for row in computed(folder, journal, wanted):
                print(json.dumps(row), flush=True)
                rows.append(row)
    audit = subprocess.run(
        [sys.executable, "-m", "autotelic.cli", "audit", str(given.run), "--json"],
        capture_output=True,
        text=True,
        check=False,
    )
    report = {
        "command": " ".join(["python -m bench.replays", *sys.argv[1:]]),
        "seconds": round(time.perf_counter() - began, 1),
        "updates": rows,
        "same": sum(row["same"] for row in rows),
        "decisions": json.loads(audit.stdout)
        if audit.stdout.startswith("{")
        else audit.stdout + audit.stderr,
        "audit": audit.returncode,
    }
    if given.out:
        given.out.write_text(json.dumps(report, indent=1) + "\n")
    print(f"{report['same']} of {len(rows)} updates are the same; the audit ended with {audit.returncode}")
    return 0 if report["same"] == len(rows) and not audit.returncode else 1


if __name__ == "__main__":
    sys.exit(main())
