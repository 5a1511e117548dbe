"""`summary.json`, for programs."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_run import CHARTER, synthetic_messages

from autotelic import messages as m
from autotelic.dashboard.story import Story
from autotelic.dashboard.summary import summarise, write_summary


def test_the_summary_has_what_programs_read() -> None:
    summary = summarise(Story.of(synthetic_messages(12)))
    for key in ("seed", "model", "seconds", "tokens", "flops", "actor_task_share", "stage_seconds"):
        assert summary[key]
    for when in ("before", "after"):
        found = summary["sealed"][when]
        assert {"pass_at_1", "pass_at_8", "interval", "cells", "digest", "weights"} <= set(found)
        assert found["interval"][0] <= found["pass_at_1"] <= found["interval"][1]
        assert "induction/2" in found["cells"]
    assert summary["sealed"]["after"]["seconds"] > 0.5 * summary["seconds"]
    assert set(summary["proposer"]) >= {"valid", "novel"}
    assert set(summary["critic"]) == {"ece", "auroc", "best_of_8"}
    assert "attempt" in summary["stage_seconds"]
    assert summary["own_exam"]["pass_at_1"] > 0


def test_the_summary_says_which_run_it_is_and_what_it_began_from() -> None:
    first, *rest = synthetic_messages(4)
    parent = m.Parent(run="f" * 32, weights="sha256:00", seals=True)
    assert isinstance(first, m.RunStarted)
    summary = summarise(Story.of([replace(first, parent=parent, controls={"shuffle": 1.0}), *rest]))
    assert summary["run"] == "5eed" * 8
    assert summary["version"] == "0.1.0"
    assert summary["commit"] == "c0ffee" * 6
    assert summary["charter"] == CHARTER.digest
    assert summary["parent"] == {"run": "f" * 32, "weights": "sha256:00", "seals": True}
    assert summary["machine"]["threads"] == 2
    assert summary["controls"] == {"shuffle": 1.0}


def test_the_summary_says_the_last_decision_and_the_champion() -> None:
    """The last decision of twelve generations is to train on; the champion is that of the one before."""
    summary = summarise(Story.of(synthetic_messages(12)))
    assert summary["decision"] == {"generation": 12, "verdict": "train on"}
    assert summary["champion"]["generation"] == 8
    assert summary["champion"]["weights"] == summary["sealed"]["after"]["weights"] == f"sha256:{8:064x}"


@pytest.mark.parametrize("graded", [True, False])
def test_it_is_json_at_every_moment_of_a_run(graded: bool) -> None:
    messages = synthetic_messages(5, graded=graded)
    for count in range(0, len(messages), 7):
        json.dumps(summarise(Story.of(messages[:count])), allow_nan=False)


def test_before_anything_happened_it_is_all_null_and_still_json(tmp_path: Path) -> None:
    written = write_summary(Story(), tmp_path)
    assert written["sealed"] == {"before": None, "after": None, "working": None}
    assert json.loads((tmp_path / "summary.json").read_text()) == written
    assert set(written) == set(summarise(Story.of(synthetic_messages(1))))


def test_it_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_summary(Story.of(synthetic_messages(3)), tmp_path)
    write_summary(Story.of(synthetic_messages(5)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]
    assert json.loads((tmp_path / "summary.json").read_text())["generations"] == 5
