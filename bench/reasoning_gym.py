"""Every data set of reasoning-gym: how fast, whether it repeats, what it pays for nonsense, and `domain check`.

    python -m bench.reasoning_gym --out reasoning-gym.json
    python -m bench.reasoning_gym --only chain_sum spell_backward

One process, one data set after another; the file is written after each, so that an interrupted run is of use. Data
sets that the adapter refuses are measured too, and not checked. What takes longer than `--seconds` is cut off.
"""

from __future__ import annotations

import argparse
import json
import signal
import time
from pathlib import Path
from typing import Any

import reasoning_gym
from reasoning_gym.factory import DATASETS

from autotelic.domains.adapters.reasoning_gym import REFUSED, ReasoningGymDomain
from autotelic.domains.check import check_domain

NONSENSE = ("", "zzz", "None", "[]", "x" * 3000, "(" * 200, "nan", "1e999")
ITEMS = 6


class SlowError(Exception):
    """A data set took too long."""


def measured(name: str) -> dict[str, Any]:
    """CPU milliseconds a question and a score; whether the same seed gives the same; the best pay for nonsense."""
    began = time.process_time()
    made = reasoning_gym.create_dataset(name, size=ITEMS, seed=1)
    items = [made[at] for at in range(ITEMS)]
    row: dict[str, Any] = {"ms a question": round(1000 * (time.process_time() - began) / ITEMS, 3)}
    again = reasoning_gym.create_dataset(name, size=ITEMS, seed=1)
    row["repeats"] = [again[at]["question"] for at in range(ITEMS)] == [item["question"] for item in items]
    began, paid, raised = time.process_time(), 0.0, 0
    for item in items:
        for text in (*NONSENSE, item["question"]):
            try:
                paid = max(paid, float(made.score_answer(answer=text, entry=item)))
            except SlowError:
                raise
            except Exception:
                raised += 1
    row["ms a score"] = round(1000 * (time.process_time() - began) / ITEMS / (len(NONSENSE) + 1), 3)
    row |= {"most paid for nonsense": paid, "scores that raise": raised}
    return row


def checked(name: str, tasks: int) -> dict[str, Any]:
    """What `domain check` says at level 1."""
    found = check_domain(ReasoningGymDomain(name, levels=(1,)), tasks=tasks)
    bad = [f"{finding.name}: {finding.said}" for finding in found if finding.ok is False]
    return {"check": "passes" if not bad else "; ".join(bad)}


def main() -> None:
    """Measure, check, print and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--tasks", type=int, default=32)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--out", type=Path)
    asked = parser.parse_args()

    def ring(*_: object) -> None:
        raise SlowError

    signal.signal(signal.SIGVTALRM, ring)  # of CPU time, so that a busy machine cuts nothing off
    found: dict[str, dict[str, Any]] = {}
    for name in asked.only or sorted(DATASETS):
        row: dict[str, Any] = {"refused": REFUSED[name]} if name in REFUSED else {}
        signal.setitimer(signal.ITIMER_VIRTUAL, asked.seconds)
        try:
            if name != "composite":
                row |= measured(name)
            if name not in REFUSED:
                row |= checked(name, asked.tasks)
        except SlowError:
            row["cut off"] = f"after {asked.seconds} s"
        finally:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        found[name] = row
        print(f"{name:<28} {row.get('refused') or row.get('check') or row.get('cut off')}", flush=True)
        if asked.out:
            asked.out.write_text(json.dumps(found, indent=1) + "\n")


if __name__ == "__main__":
    main()
