"""The domain `scenes`: what guesses pass, what a champion sees, and what is left where pictures are shuffled.

    python -m bench.scenes guesses
    python -m bench.scenes blind runs/scenes                   # --working: the last weights, certified or not
    python -m bench.scenes sheet docs/scenes.png

`blind` asks a run's sealed exam twice: as it is, and with each picture replaced by that of another item of the same
mode and level. A model that sees fails the second time. With `--out FILE` the numbers are written as JSON.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image as Picture

from autotelic.domains.scenes import ScenesDomain
from autotelic.domains.scenes.render import PALETTE, draw
from autotelic.domains.scenes.rules import LEVELS, draw_scene
from autotelic.models.digest import digest_of
from autotelic.protocols import Domain
from autotelic.statistics import wilson
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Image, Task
from autotelic.weights.store import Store

GUESSES = 600
"""Guesses at a cell: a standard error of at most 2 points."""


def guesses(seed: int) -> dict[str, float]:
    """The share of answers of the right form, right for another random task of the cell, that pass, by cell."""
    domain = ScenesDomain()
    found = {}
    for cell in domain.spec.cells:
        tasks = domain.tasks(stream(seed, "tasks", str(cell)), [cell] * GUESSES)
        texts = domain.answers(tasks, stream(seed, "guesses", str(cell)))
        asked = [
            (task, Episode(task_id=task.id, steps=(), answer=domain.answer(cell.mode, text)))
            for task, text in zip(tasks, texts, strict=True)
            if text is not None
        ]
        found[str(cell)] = float(np.mean([verdict.passed for verdict in domain.judge(asked)]))
    return found


def shuffled(tasks: Sequence[Task]) -> list[Task]:
    """Tasks of the same questions and secrets, each with the pictures of the next one of its cell."""
    mates: dict[Cell, list[Task]] = defaultdict(list)
    for task in tasks:
        mates[task.cell].append(task)
    other = {task.id: row[(at + 1) % len(row)] for row in mates.values() for at, task in enumerate(row)}
    return [_with_pictures_of(task, other[task.id]) for task in tasks]


def _with_pictures_of(task: Task, other: Task) -> Task:
    lent = iter([part for part in other.prompt if isinstance(part, Image)])
    parts = tuple(next(lent) if isinstance(part, Image) else part for part in task.prompt)
    return replace(task, prompt=parts, id="")  # type: ignore[arg-type]


def working_weights(run: Path) -> dict[str, Any]:
    """The weights that a run ended with and that were not certified. Raises LookupError where there are none."""
    summary = json.loads((run / "summary.json").read_text())
    wanted = (summary["sealed"]["working"] or {}).get("weights")
    store = Store(run / "weights")
    for path in sorted(store.folder.glob("*.safetensors")):
        tensors = store.get(f"sha256:{path.stem}")
        if (
            all(isinstance(value, torch.Tensor) for value in tensors.values())
            and digest_of(tensors) == wanted
        ):
            return tensors
    raise LookupError(f"{run} has no weights that were examined as working ones")


def blind(run: Path, seed: int, working: bool = False) -> dict[str, Any]:
    """What a run's champion passes of its sealed exam, greedily, by mode: seeing, and with shuffled pictures."""
    from autotelic.commands.opening import opened

    with opened(run) as found:
        if working:
            found.decoder.model.load_state_dict(working_weights(run), strict=False)
        items = list(found.exam.items)
        found_of = {}
        for name, tasks in (("seeing", items), ("blind", shuffled(items))):
            groups = found.policy.attempt(tasks, siblings=1, temperature=0.0, seed=seed)
            found_of[name] = _passed(found.domain, tasks, [group.episodes[0] for group in groups])
    return found_of


def _passed(domain: Domain, tasks: Sequence[Task], episodes: Sequence[Episode]) -> dict[str, Any]:
    verdicts = domain.judge(list(zip(tasks, episodes, strict=True)))
    right: dict[str, list[bool]] = defaultdict(list)
    for task, verdict in zip(tasks, verdicts, strict=True):
        right[task.mode].append(bool(verdict.passed))
        right[str(task.cell)].append(bool(verdict.passed))
    return {
        name: {"passed": sum(row), "of": len(row), "interval": list(wilson(sum(row), len(row)))}
        for name, row in sorted(right.items())
    }


def sheet(path: Path) -> None:
    """Four scenes of each level, three times as large, a row a level."""
    rows = []
    for level in LEVELS:
        drawn = [draw_scene(level, stream(7, "sheet", level, at)) for at in range(4)]
        rows.append(np.hstack([np.pad(draw(scene), 2, constant_values=7) for scene in drawn if scene]))
    whole = np.vstack(rows).repeat(3, 0).repeat(3, 1)
    colours = np.array([*PALETTE, (120, 120, 120)], np.uint8)
    Picture.fromarray(colours[whole]).quantize(8, dither=Picture.Dither.NONE).save(path, optimize=True)


def main() -> None:
    reader = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    reader.add_argument("what", choices=("guesses", "blind", "sheet"))
    reader.add_argument("path", type=Path, nargs="?", help="the run of `blind`, the file of `sheet`")
    reader.add_argument("--seed", type=int, default=0)
    reader.add_argument("--working", action="store_true")
    reader.add_argument("--out", type=Path)
    asked = reader.parse_args()
    if asked.what != "guesses" and asked.path is None:
        reader.error(f"{asked.what} needs a path")
    if asked.what == "sheet":
        sheet(asked.path)
        return
    found: dict[str, Any] = (
        guesses(asked.seed) if asked.what == "guesses" else blind(asked.path, asked.seed, asked.working)
    )
    text = json.dumps(found, indent=2)
    print(text)
    if asked.out:
        asked.out.write_text(text + "\n")


if __name__ == "__main__":
    main()
