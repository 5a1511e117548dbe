"""The worlds: runs of their recipes with and without what they are said to need, and what a champion says.

    python -m bench.worlds run recipes/packing.toml --out runs/packing --seconds 900
    python -m bench.worlds run recipes/packing.toml --out runs/packing-shuffled --control shuffled
    python -m bench.worlds run recipes/packing.toml --out runs/packing-alone --control no-archive
    python -m bench.worlds show runs/packing --out docs/results/worlds/packing-seed-0.json

- shuffled: verdicts dealt out anew among siblings as soon as they are given, so that nothing that is learned or kept
  says anything of the attempt.
- no-archive: no answers are kept. What was learned of them is the share of own right answers instead.

`show` prints the mean reward of the attempts by generation, the exams, what was kept, and the champion's greedy
answers to held-out tasks; with --out as JSON.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from autotelic import loop
from autotelic.api.champions import load_champion
from autotelic.archive import Archive
from autotelic.charter import Charter
from autotelic.domains import load_domain
from autotelic.engine.services import Controls
from autotelic.exam.evaluate import judged
from autotelic.machine import Machine
from autotelic.messages import Archived, Evaluated, GenerationEnded, Judged
from autotelic.record import Journal, RunFolder
from autotelic.streams import stream
from autotelic.types import Cell, text_of

CONTROLS = {
    "none": Controls(),
    "shuffled": Controls(shuffle=1.0, early=True),
    "no-archive": Controls(archive=False),
}
FEW = 0.1
"""The share of form in the gradient where no archive is learned from."""
HELD_OUT = 5
"""Tasks of a cell whose answers are shown."""


def charter_of(recipe: Path, control: str, seed: int, seconds: float) -> Charter:
    """A recipe's charter, for a seed, a time and a control."""
    charter = Charter.load(recipe).replace({"seed": seed})
    if seconds:
        charter = charter.replace({"budget.seconds": seconds})
    learn = charter.learn
    if control == "no-archive" and learn.form > FEW:
        charter = charter.replace({"learn.form": FEW, "learn.own": round(learn.own + learn.form - FEW, 6)})
    return charter


def attempts(journal: Journal) -> list[dict[str, Any]]:
    """By generation and mode: tries, their mean reward, the share that passed, and the commonest reasons."""
    found: dict[int, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for message in journal.each_message(kinds=(Judged.kind,)):
        if isinstance(message, Judged) and message.purpose == "attempt":
            for group in message.groups:
                found[message.generation][group.task.mode] += group.verdicts
    return [
        {
            "generation": generation,
            "mode": mode,
            "tries": len(verdicts),
            "reward": float(np.mean([v.reward for v in verdicts])),
            "passed": float(np.mean([bool(v.passed) for v in verdicts])),
            "reasons": dict(Counter(v.reason for v in verdicts).most_common(4)),
        }
        for generation, modes in sorted(found.items())
        for mode, verdicts in modes.items()
    ]


def exams(journal: Journal) -> list[dict[str, Any]]:
    """Each sealed exam: when, and by cell the share of items that the greedy answer passes."""
    return [
        {
            "generation": message.generation,
            "when": message.when,
            "cells": {cell: scores.pass_at_1.value for cell, scores in message.report.cells.items()},
        }
        for message in journal.each_message(kinds=(Evaluated.kind,))
        if isinstance(message, Evaluated) and message.report.exam == "sealed"
    ]


def kept(journal: Journal, charter: Charter) -> Archive:
    """The archive as it was at the end."""
    archive = Archive(load_domain(charter.domain, exam_levels=charter.exam.levels).spec.scale)
    for message in journal.each_message(kinds=(Archived.kind,)):
        if isinstance(message, Archived):
            archive.learn(message)
    return archive


def says(run: Path, seed: int = 1) -> list[dict[str, Any]]:
    """The champion's greedy answers to new tasks of the highest level that the exam asks, and their verdicts."""
    with load_champion(run, machine=Machine(threads=1)) as champion:
        charter = champion.charter
        domain = load_domain(charter.domain, exam_levels=charter.exam.levels)
        level = charter.exam.levels[1]
        modes = charter.domain.modes or domain.spec.modes
        cells = [Cell(mode=mode, level=level) for mode in modes for _ in range(HELD_OUT)]
        tasks = domain.tasks(stream(seed, "worlds", "held out"), cells)
        policy = champion._opened.policy
        groups = judged(domain, policy.attempt(tasks, siblings=1, temperature=0.0, seed=seed))
    return [
        {
            "cell": str(group.task.cell),
            "task": text_of(group.task.prompt).strip(),
            "said": [policy.tokens.decode(turn.completion_ids) for turn in group.episodes[0].turns],
            "shown": [text_of(step.reply) for step in group.episodes[0].steps],
            "reward": group.verdicts[0].reward,
            "passed": group.verdicts[0].passed,
            "reason": group.verdicts[0].reason,
            "feedback": group.verdicts[0].feedback,
        }
        for group in groups
    ]


def report(run: Path) -> dict[str, Any]:
    """All that `show` shows."""
    with Journal.open(run) as journal:
        ended = [
            m for m in journal.each_message(kinds=(GenerationEnded.kind,)) if isinstance(m, GenerationEnded)
        ]
        charter = RunFolder.open(run).charter()
        archive = kept(journal, charter)
        found: dict[str, Any] = {
            "charter": charter.canonical(),
            "generations": len(ended),
            "seconds": ended[-1].total_seconds if ended else 0.0,
            "tokens": ended[-1].total_tokens if ended else 0,
            "exams": exams(journal),
            "attempts": attempts(journal),
            "archive": {
                family: [
                    {"answer": elite.answer, "tries": elite.tries, "mean_reward": elite.mean}
                    for elite in archive.best(family)[:10]
                ]
                for family in archive.families
            },
        }
    found["held_out"] = says(run)
    return found


def show(run: Path, out: Path | None) -> None:
    """Print a report, and write it."""
    found = report(run)
    for row in found["attempts"]:
        if row["generation"] % 5 == 0 or row["generation"] >= found["generations"] - 1:
            print(
                "{generation:>4} {mode:<12} {tries:>6} {reward:>8.3f} {passed:>7.1%}  {reasons}".format(**row)
            )
    for exam in found["exams"]:
        print(
            exam["generation"], exam["when"], {cell: round(value, 3) for cell, value in exam["cells"].items()}
        )
    for family, elites in found["archive"].items():
        for elite in elites[:5]:
            print(f"{family}: {elite['mean_reward']:.3f} in {elite['tries']} tries  {elite['answer']}")
    for one in found["held_out"]:
        print(f"{one['task']!r} -> {one['said']}  {one['reward']:.2f} {one['reason']}: {one['feedback']}")
    if out:
        out.parent.mkdir(parents=True, exist_ok=True)
        out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("run", "show"))
    parser.add_argument("path", type=Path, help="a recipe to run, or a run to show")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--control", choices=list(CONTROLS), default="none")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=0.0, help="0 is the recipe's own")
    given = parser.parse_args()
    if given.what == "show":
        show(given.path, given.out)
        return
    if given.out is None:
        parser.error("a run needs --out, a new folder")
    charter = charter_of(given.path, given.control, given.seed, given.seconds)
    loop.run(charter, given.out, machine=Machine(threads=1), controls=CONTROLS[given.control])


if __name__ == "__main__":
    main()
