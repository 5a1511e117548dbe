"""Pictures of one run, and several runs side by side."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from synthetic_run import synthetic_messages

from autotelic import messages as m
from autotelic.dashboard.compare import compare, draw, tokens_to
from autotelic.dashboard.plots import write_plots
from autotelic.dashboard.story import Story

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.mark.parametrize("graded", [True, False])
def test_four_pictures_of_a_run(tmp_path: Path, graded: bool) -> None:
    written = write_plots(Story.of(synthetic_messages(9, graded=graded)), tmp_path / "plots", "x")
    names = ["curves.png", "cells.png", "curriculum.png", "stages.png"]
    assert [path.name for path in written] == names
    assert all(path.read_bytes().startswith(PNG) for path in written)
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == sorted(names)


def test_no_picture_of_what_was_not_measured(tmp_path: Path) -> None:
    assert write_plots(Story(), tmp_path) == []
    until = [x for x in synthetic_messages(2) if x.generation == 0 and x.id < 6]
    assert [path.name for path in write_plots(Story.of(until), tmp_path)] == ["cells.png"]


def test_tokens_to_a_score_lie_between_the_evaluations_around_it() -> None:
    story = Story.of(synthetic_messages(20))
    found = story.evaluations_of("sealed")
    middle = (found[2].pass_at_1.value + found[3].pass_at_1.value) / 2
    assert tokens_to(story, middle) == (found[2].tokens + found[3].tokens) / 2
    assert tokens_to(story, 0.0) == 0
    assert tokens_to(story, 1.0) is None


def test_runs_are_compared_at_the_lowest_final_score() -> None:
    slow, fast = (Story.of(synthetic_messages(20, speed=speed)) for speed in (1.0, 3.0))
    compared = compare({"slow": slow, "fast": fast})
    assert slow.after is not None
    assert compared["note"] == ""
    assert compared["target"] == slow.after.pass_at_1.value
    tokens = {name: summary["tokens_to_target"] for name, summary in compared["runs"].items()}
    assert tokens["fast"] < tokens["slow"]


def test_runs_with_different_exams_are_not_compared() -> None:
    one = Story.of(synthetic_messages(4))
    other = Story.of(
        replace(x, digest="sha256:other") if isinstance(x, m.ExamSet) else x for x in synthetic_messages(4)
    )
    compared = compare({"one": one, "other": other})
    assert compared["target"] is None
    assert "different sealed exams" in compared["note"]
    assert "\n" not in compared["note"]
    assert all(summary["tokens_to_target"] is None for summary in compared["runs"].values())


def test_a_run_without_an_exam_leaves_no_target() -> None:
    compared = compare({"a": Story.of(synthetic_messages(4)), "b": Story()})
    assert compared["target"] is None
    assert "b has no sealed exam yet" in compared["note"]


def test_curves_of_several_runs_in_one_picture(tmp_path: Path) -> None:
    picture = draw({"a": Story.of(synthetic_messages(5)), "b": Story()}, tmp_path / "c.png")
    assert picture.read_bytes().startswith(PNG)
