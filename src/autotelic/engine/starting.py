"""How a run starts: new, from a charter, or taken up again from where it was stopped."""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import transformers

import autotelic.exam.sealed as sealing
from autotelic.charter import Charter
from autotelic.engine.run import Run, Watch
from autotelic.models.crew import paying_threads
from autotelic.models.load import begin_model, load_model, save_model
from autotelic.record import Record, RunFolder
from autotelic.record import checkpoint as checkpoints
from autotelic.streams import seed_of, stream
from autotelic.types import Cell

CORPUS = 2000
"""Texts of the rules that the tokenizer is trained on."""


def begin(
    charter: Charter, folder: Path, watch: Watch | None, source: str | None, start_from: Path | None
) -> Run:
    """A new run: folder, tokenizer, weights, sealed exam; told and saved as generation 0."""
    place = RunFolder.create(folder, charter, source)
    run = Run(place, charter, watch, charter.budget.threads or paying_threads())
    run.record = Record.open(folder, "a")
    run.show("stage", name="tokenizer")
    corpus: list[str] = []
    if start_from is None and charter.model.name == "tiny":
        corpus = run.domain.corpus(stream(charter.seed, "corpus"), CORPUS)
    model, tokenizer = begin_model(
        charter.model, corpus, run.domain.special, seed_of(charter.seed, "init"), start_from
    )
    save_model(model, tokenizer, run.folder.start)
    run.equip(model, tokenizer)
    run.tell("run.start", **description(run))
    run.tell("probe", **run.probe())
    run.show("stage", name="exam")
    low, high = charter.exam.levels
    run.sealed = sealing.draw_sealed(
        run.domain,
        charter.seed,
        [Cell(mode=m, level=level) for m in charter.domain.modes for level in range(low, high + 1)],
        items_per_cell=charter.exam.items_per_cell,
        free_answers=charter.exam.free_answers,
    )
    run.novelty.seal(run.sealed.signatures)
    items = [{"id": task.id, "cell": str(task.cell)} for task in run.sealed.items]
    run.tell("exam.sealed", digest=run.sealed.digest, items=items, dropped_free=run.sealed.dropped_free)
    return run


def take_up(folder: Path, watch: Watch | None, extend_seconds: float | None) -> Run | None:
    """A run that was stopped, from its last checkpoint; None where it had none yet and must begin again."""
    place = RunFolder.open(folder)
    charter = place.charter()
    if extend_seconds:
        charter = charter.replace({"budget.seconds": charter.budget.seconds + extend_seconds})
    record = Record.open(folder, "a")
    found = checkpoints.restore(place.checkpoints, record)
    if found is None:
        record.close()
        return None
    start = record.latest("run.start")
    # As many as it began with: with others, sums are rounded otherwise.
    threads = int(start.data["threads"]) if start else charter.budget.threads
    run = Run(place, charter, watch, threads or paying_threads())
    run.record = record
    run.equip(*load_model(place.start, dtype=charter.model.dtype))
    run.restore(found)
    # Shown and not told: the record of a run that was resumed is that of one that never stopped.
    run.show("probe", **run.probe())
    return run


def description(run: Run) -> Mapping[str, Any]:
    """What a reader must know to judge the run's numbers: the `run.start` event."""
    return {
        "charter": run.charter.canonical(),
        "digest": run.charter.digest,
        "seed": run.charter.seed,
        "model": run.charter.model.name,
        "parameters": run.parameters,
        "learned": run.learned,
        "chat": run.tokens.chat,
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "transformers": transformers.__version__,
        },
        "machine": f"{platform.machine()} {sys.platform}",
        "threads": run.crew.size,
        "sandbox_level": str(run.box.level),
    }
