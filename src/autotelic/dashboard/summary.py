"""`summary.json`: what a run came to, for programs. Made from the events alone, at any time of the run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from autotelic.dashboard.story import Sitting, Story
from autotelic.types import Score

Summary = dict[str, Any]


def summarise(story: Story) -> Summary:
    """The summary of a run; what was not measured is null.

    Shares of proposals and of tasks are over the generations after the bootstrap: `valid` of what was asked
    for, `novel` of what was valid, `actor_task_share` of the tokens trained on.
    """
    critic = story.generations[-1].critic if story.generations else {}
    own = story.sat("own")
    proposals = story.proposals
    best = story.after.best_of_8 if story.after else None
    return {
        "charter": story.start.get("digest", ""),
        "seed": story.start.get("seed"),
        "model": story.start.get("model", ""),
        "stopped": story.stopped,
        "generations": len(story.generations),
        "resumes": story.resumes,
        "seconds": round(story.seconds, 3),
        "tokens": story.tokens,
        "flops": story.flops,
        "sealed": {"before": _sitting(story.before), "after": _sitting(story.after)},
        "own_exam": _sitting(own[-1]) if own else {},
        "actor_task_share": story.actor_task_share,
        "proposer": {
            "valid": proposals.valid / proposals.asked if proposals.asked else None,
            "novel": proposals.novel / proposals.valid if proposals.valid else None,
            "refused": dict(proposals.reasons),
        },
        "critic": {
            "ece": critic.get("ece"),
            "auroc": critic.get("auroc"),
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


def _sitting(sitting: Sitting | None) -> Summary | None:
    if sitting is None:
        return None
    modes = dict.fromkeys(cell.mode for cell in sitting.cells)
    levels = sorted({cell.level for cell in sitting.cells})
    return {
        "when": sitting.when,
        "generation": sitting.generation,
        "tokens": sitting.tokens,
        "seconds": round(sitting.seconds, 3),
        "items": sitting.pass_at_1.n,
        "pass_at_1": sitting.pass_at_1.value,
        "interval": [sitting.pass_at_1.low, sitting.pass_at_1.high],
        "sampled_at_1": _value(sitting.sampled_at_1),
        "pass_at_8": _value(sitting.pass_at_8),
        "best_of_8": _value(sitting.best_of_8),
        "levels_1_to_3": sitting.mean(levels=(1, 2, 3)),
        "by_mode": {mode: sitting.mean(mode) for mode in modes},
        "by_level": {str(level): sitting.mean(levels=(level,)) for level in levels},
        "cells": {str(cell): score.value for cell, score in sitting.cells.items()},
    }


def _value(score: Score | None) -> float | None:
    return score.value if score else None
