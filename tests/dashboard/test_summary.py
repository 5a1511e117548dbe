import json

from synthetic_run import synthetic_events

from autotelic.dashboard.story import Story, tell
from autotelic.dashboard.summary import summarise, write_summary


def test_the_summary_has_what_programs_read():
    summary = summarise(tell(synthetic_events(12)))
    for key in (
        "charter",
        "seed",
        "model",
        "seconds",
        "tokens",
        "flops",
        "actor_task_share",
        "stage_seconds",
    ):
        assert summary[key]
    for when in ("before", "after"):
        sat = summary["sealed"][when]
        assert {"pass_at_1", "pass_at_8", "interval", "cells"} <= set(sat)
        assert sat["interval"][0] <= sat["pass_at_1"] <= sat["interval"][1]
        assert "induction/2" in sat["cells"]
    assert set(summary["proposer"]) >= {"valid", "novel"}
    assert set(summary["critic"]) == {"ece", "auroc", "best_of_8"}
    assert summary["critic"]["best_of_8"] == tell(synthetic_events(12)).after.best_of_8.value
    assert "attempt" in summary["stage_seconds"]
    assert summary["own_exam"]["pass_at_1"] > 0


def test_before_anything_happened_it_is_all_null_and_still_json(tmp_path):
    written = write_summary(Story(), tmp_path)
    assert written["sealed"] == {"before": None, "after": None}
    assert json.loads((tmp_path / "summary.json").read_text()) == written


def test_it_is_written_whole_and_leaves_nothing_beside_it(tmp_path):
    write_summary(tell(synthetic_events(3)), tmp_path)
    write_summary(tell(synthetic_events(5)), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["summary.json"]
    assert json.loads((tmp_path / "summary.json").read_text())["generations"] == 5
