"""`summary.json`: what a run came to, for programs. Made from the messages alone, at any time of the run."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

from autotelic.dashboard.story import Evaluation, Story, told
from autotelic.dashboard.wording import known
from autotelic.messages import RunStarted
from autotelic.types import Score

Summary = dict[str, Any]


def summarise(story: Story) -> Summary:
    """The summary of a run; what was not measured is null.

    `valid` is a share of the proposals, `novel` of the valid ones. `actor_task_share` is of the tokens of
    tasks learned after the bootstrap. An exam's `seconds` and `tokens` are what the run had spent by then.
    """
    own = story.evaluations_of("own")
    calibration = story.generations[-1].calibration if story.generations else None
    best = story.after.best_of_8 if story.after else None
    last = story.rulings[-1] if story.rulings else None
    return {
        **_origin(story.run),
        "stopped": story.stopped,
        "generations": len(story.generations),
        "resumes": story.resumes,
        "seconds": round(story.seconds, 3),
        "tokens": story.tokens,
        "flops": story.flops,
        "why": story.why,
        "sealed": {
            "before": _evaluation(story.before),
            "after": _evaluation(story.after),
            "working": _evaluation(story.working),
        },
        "oversight": None
        if story.leased is None
        else {
            "grade": story.leased.grade,
            "level": story.leased.level,
            "epoch": story.leased.epoch,
            "alarms": [told(alarm) for alarm in story.alarms],
        },
        "own_exam": _evaluation(own[-1]) if own else {},
        "champion": story.champion,
        "decision": None if last is None else {"generation": last.generation, "verdict": last.verdict},
        "actor_task_share": story.actor_task_share,
        "proposer": {
            "valid": story.proposals.valid_share,
            "novel": story.proposals.novel_share,
            "refused": dict(story.proposals.reasons),
        },
        "critic": {
            "ece": known(calibration.ece) if calibration else None,
            "auroc": known(calibration.auroc) if calibration else None,
            "best_of_8": best.value if best else None,
        },
        "stage_seconds": {stage: round(seconds, 3) for stage, seconds in story.stage_seconds.items()},
    }


def write_summary(story: Story, folder: Path) -> Summary:
    """Write `summary.json` in the run folder, whole or not at all, and return what it says."""
    summary = summarise(story)
    written = folder / ".summary.json.new"
    written.write_text(json.dumps(summary, indent=2, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(written, folder / "summary.json")
    return summary


def _origin(run: RunStarted | None) -> Summary:
    """Which run this is, under which rules, and what it began from."""
    if run is None:
        return dict.fromkeys(
            (
                "run",
                "version",
                "commit",
                "charter",
                "seed",
                "model",
                "start",
                "parent",
                "machine",
                "platform",
                "controls",
            )
        )
    return {
        "run": run.run,
        "version": run.version,
        "commit": run.commit,
        "charter": run.digest,
        "seed": run.seed,
        "model": run.model,
        "start": run.start,
        "parent": asdict(run.parent) if run.parent else None,
        "machine": dict(run.machine),
        "platform": run.platform,
        "controls": dict(run.controls),
    }


def _evaluation(found: Evaluation | None) -> Summary | None:
    if found is None:
        return None
    modes = dict.fromkeys(cell.mode for cell in found.cells)
    levels = sorted({cell.level for cell in found.cells})
    return {
        "when": found.when,
        "generation": found.generation,
        "tokens": found.tokens,
        "seconds": round(found.seconds, 3),
        "took": round(found.took, 3),
        "digest": found.digest,
        "weights": found.weights,
        "items": found.pass_at_1.n,
        "pass_at_1": found.pass_at_1.value,
        "interval": [found.pass_at_1.low, found.pass_at_1.high],
        "sampled_at_1": _value(found.sampled_at_1),
        "pass_at_8": _value(found.pass_at_8),
        "best_of_8": _value(found.best_of_8),
        "levels_1_to_3": found.mean(levels=(1, 2, 3)),
        "by_mode": {mode: found.mean(mode) for mode in modes},
        "by_level": {str(level): found.mean(levels=(level,)) for level in levels},
        "cells": {str(cell): score.value for cell, score in found.cells.items()},
    }


def _value(score: Score | None) -> float | None:
    return score.value if score else None
