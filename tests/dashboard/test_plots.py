from synthetic_run import synthetic_events

from autotelic.dashboard.compare import compare, draw, tokens_to
from autotelic.dashboard.plots import write_plots
from autotelic.dashboard.story import Story, tell

PNG = b"\x89PNG\r\n\x1a\n"


def test_four_pictures_of_a_run(tmp_path):
    written = write_plots(tell(synthetic_events(9)), tmp_path / "plots", "x")
    assert [path.name for path in written] == ["curves.png", "cells.png", "curriculum.png", "stages.png"]
    assert all(path.read_bytes().startswith(PNG) for path in written)
    assert sorted(path.name for path in (tmp_path / "plots").iterdir()) == sorted(
        path.name for path in written
    )


def test_no_picture_of_what_was_not_measured(tmp_path):
    assert write_plots(Story(), tmp_path) == []
    assert [path.name for path in write_plots(tell(synthetic_events(2)[:3]), tmp_path)] == ["cells.png"]


def test_tokens_to_a_score_lie_between_the_sittings_around_it():
    story = tell(synthetic_events(20))
    sat = story.sat("sealed")
    middle = (sat[2].pass_at_1.value + sat[3].pass_at_1.value) / 2
    assert tokens_to(story, middle) == (sat[2].tokens + sat[3].tokens) / 2
    assert tokens_to(story, 0.0) == 0
    assert tokens_to(story, 1.0) is None


def test_runs_are_compared_at_the_lowest_final_score():
    stories = {"slow": tell(synthetic_events(20, speed=1.0)), "fast": tell(synthetic_events(20, speed=3.0))}
    compared = compare(stories)
    assert compared["target"] == stories["slow"].after.pass_at_1.value
    tokens = {name: summary["tokens_to_target"] for name, summary in compared["runs"].items()}
    assert tokens["fast"] < tokens["slow"]


def test_a_run_without_an_exam_leaves_no_target():
    assert compare({"a": tell(synthetic_events(4)), "b": Story()})["target"] is None


def test_curves_of_several_runs_in_one_picture(tmp_path):
    picture = draw({"a": tell(synthetic_events(5)), "b": Story()}, tmp_path / "c.png")
    assert picture.read_bytes().startswith(PNG)
