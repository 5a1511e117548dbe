"""Samples of what a run made for itself: tasks, attempts with what was asked, and the pictures that these show."""

from __future__ import annotations

from collections.abc import Iterable

from autotelic.messages import RunStarted
from autotelic.pictures import Gallery
from autotelic.record import Journal, RunFolder
from autotelic.record.plain import to_json
from autotelic.streams import stream
from autotelic.trace.bundle.verify import PICTURES
from autotelic.types import Image, Task


def samples(run: RunFolder, journal: Journal, started: RunStarted, count: int) -> dict[str, bytes]:
    """Tasks, and attempts with prompts and verdicts, drawn at random by the run's seed; the pictures of both.

    Raises PictureError for a picture that the run folder no longer has, or that was changed.
    """
    rows = {table: _drawn(journal, started.seed, table, count) for table in ("tasks", "episodes")}
    tasks = journal.tasks_at(rows["tasks"])
    attempts = journal.episodes(ids=rows["episodes"]) if rows["episodes"] else []
    asked = {task.id: task for task in journal.tasks(list({one.episode.task_id for one in attempts}))}
    lines = [
        to_json(
            {
                "attempt": one.episode.id,
                "task": one.episode.task_id,
                "generation": one.generation,
                "purpose": one.purpose,
                "prompt": asked[one.episode.task_id].prompt,
                "answer": one.episode.answer,
                "weights": [turn.weights for turn in one.episode.turns],
                "verdicts": one.verdicts,
                "superseded": one.superseded,
            }
        )
        for one in attempts
    ]
    return {
        "samples/tasks.jsonl": "".join(f"{to_json(task)}\n" for task in tasks).encode(),
        "samples/attempts.jsonl": "".join(f"{line}\n" for line in lines).encode(),
        **_pictures(run, [*tasks, *asked.values()]),
    }


def _drawn(journal: Journal, seed: int, table: str, count: int) -> list[int]:
    """So many rows of a table, or all where it has fewer."""
    n = journal.counts()[table]
    rng = stream(seed, "bundle", table)
    return sorted(int(row) + 1 for row in rng.choice(n, size=min(n, count), replace=False)) if n else []


def _pictures(run: RunFolder, tasks: Iterable[Task]) -> dict[str, bytes]:
    gallery = Gallery.beside(run.path)
    digests = {
        part.digest
        for task in tasks
        for part in (() if isinstance(task.prompt, str) else task.prompt)
        if isinstance(part, Image)
    }
    return {
        f"{PICTURES}{digest.removeprefix('sha256:')}.png": gallery.bytes_of(digest)
        for digest in sorted(digests)
    }
