"""What a generation and a run leave behind: rows, one event, the champion and its card."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict

from autotelic.engine.crowning import crown as crown
from autotelic.engine.learning import Learned, means
from autotelic.engine.proposing import Proposed
from autotelic.engine.run import Run
from autotelic.judge.calibration import Calibration
from autotelic.judge.sources import Opinions
from autotelic.record import Record, RunFolder
from autotelic.types import RULES, Group, Task


def report(
    run: Run,
    proposed: Proposed,
    fresh: Sequence[Task],
    groups: Sequence[Group],
    opinions: Opinions,
    learned: Learned,
    calibration: Calibration,
) -> None:
    """Write the generation down: tasks, attempts, and one event that says what came of it."""
    run.record.tasks(fresh, run.generation)
    run.record.tasks([group.task for group in groups if group.task.mode == "repair"], run.generation)
    run.record.groups(groups, run.generation, run.tokens.decode)
    opened = run.curriculum.learn([group for group in groups if group.task.mode != "repair"])
    shares = run.curriculum.shares()
    written = len(proposed.written)
    refused = Counter(proposed.reasons)
    novel_refusals = refused["known"] + refused["sealed"] + refused["crowded"]
    valid = written - (sum(refused.values()) - novel_refusals)
    by_actor = sum(n for author, n in learned.tokens_by_author.items() if author != RULES)
    spent, before = run.spend(), learned.reports
    run.tell(
        "generation",
        bootstrap=proposed.bootstrap,
        seconds=spent.seconds,
        stage_seconds=dict(run.stage_seconds),
        tokens={"trained": spent.trained, "decoded": spent.decoded},
        total_tokens=run.counters.trained,
        total_flops=run.counters.flops,
        tokens_per_second={
            "train": spent.trained / max(1e-9, sum(r.seconds for r in before)),
            "decode": spent.decoded / max(1e-9, spent.decode_seconds),
        },
        proposals={
            "asked": written,
            "valid": valid,
            "novel": valid - novel_refusals,
            "admitted": written - sum(refused.values()),
            "reasons": dict(refused),
        },
        actor_task_share=by_actor / max(1, sum(learned.tokens_by_author.values())),
        replayed=learned.replayed,
        mended=learned.mended,
        groups={"kept": learned.kept, "dropped_no_variance": learned.dropped},
        cells={
            str(cell): {"p": s.p, "gain": s.gain, "share": shares.get(cell, 0.0)}
            for cell, s in run.curriculum.standing.items()
        },
        opened=opened,
        learn=means(before),
        critic=asdict(calibration),
        consensus_agreement=opinions.agreement.get("consensus"),
        certainty_agreement=opinions.agreement.get("certainty"),
    )
    run.stage_seconds.clear()


def abandon(run: Run) -> None:
    """Give up what is in flight: the record goes back to the last checkpoint."""
    run.record.rollback()


def finished(place: RunFolder) -> bool:
    """Whether the run spent its budget, as its record says."""
    with Record.open(place.path) as record:
        stop = record.latest("run.stop")
        resumed = record.latest("run.resume")
    return stop is not None and stop.data.get("reason") == "budget" and (not resumed or resumed.id < stop.id)
