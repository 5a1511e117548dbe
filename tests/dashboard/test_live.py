"""What a person watching a run sees."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from rich.console import Console
from synthetic_run import started, synthetic_messages

from autotelic import messages as m
from autotelic.dashboard.live import _WAITS_FOR, SILENCE, LiveView, PlainLog, Screen, watching
from autotelic.dashboard.story import Story


def drawn(renderable: Any, width: int = 100, height: int = 40) -> str:
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(renderable)
    return written(console)


def written(console: Console) -> str:
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def screen(story: Story, silent: float = 0.0, notice: str = "") -> Screen:
    return Screen(story=story, title="runs/x", worked=100.0, in_stage=14.0, silent=silent, notice=notice)


def until_the_end(generations: int) -> list[m.Message]:
    """All but what comes after the last generation."""
    messages = synthetic_messages(generations)
    last = max(at for at, x in enumerate(messages) if isinstance(x, m.GenerationEnded))
    return messages[: last + 1]


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def broken() -> m.Evaluated:
    """A message that no view can read."""
    return m.Evaluated(when="during", tokens=0, seconds=0.0, took=0.0, report=None)  # type: ignore[arg-type]


def test_the_screen_shows_what_a_run_is_judged_by() -> None:
    shown = drawn(screen(Story.of(until_the_end(20))))
    for word in ("runs/x", "generation 20", "deduction", "level 3", "valid", "novel", "AUROC", "ECE"):
        assert word in shown
    for word in ("tokens/s", "left", "certified at generation", "of training", "before"):
        assert word in shown


@pytest.mark.parametrize("graded", [True, False])
@pytest.mark.parametrize("count", [0, 1, 2, 6, 60, 300])
@pytest.mark.parametrize("width", [1, 2, 7, 20, 39, 67, 72, 80, 200])
def test_the_screen_fits_every_width_at_every_moment(width: int, count: int, graded: bool) -> None:
    story = Story.of(synthetic_messages(10, graded=graded)[:count])
    shown = drawn(screen(story, silent=99.0, notice="stopping"), width=width)
    assert all(len(line) <= width for line in shown.splitlines())
    assert "cannot be drawn" not in shown


def test_a_silent_stage_says_what_it_waits_for() -> None:
    story = Story.of([started(), m.StageBegan(stage="judge")])
    assert "waits for" not in drawn(screen(story, silent=SILENCE - 1))
    assert "waits for the domain to judge the answers" in drawn(screen(story, silent=SILENCE + 1))


def test_every_stage_says_what_it_waits_for() -> None:
    """Stages are named by their functions; those that take no time need no words."""
    stages = {x.stage for x in synthetic_messages(2) if isinstance(x, m.StageBegan)}
    assert stages - set(_WAITS_FOR) == {"repair", "credit"}


def test_time_in_a_stage_runs_from_its_beginning() -> None:
    clock = Clock()
    view = LiveView("x", clock)
    view(started())
    view(m.StageBegan(stage="learn"))
    clock.now += 20
    view(m.Dropped(what="sequence", n=1, why="longer than 512 tokens"))
    clock.now += 4
    shown = drawn(view.render())
    assert "learn  24.0 s" in shown
    assert "waits for" not in shown


def test_time_worked_goes_on_between_messages() -> None:
    clock = Clock()
    view = LiveView("x", clock)
    view(started())
    clock.now += 75
    assert "1:15" in drawn(view.render())
    view(m.RunStopped(reason="interrupted"))
    clock.now += 75
    assert "2:30" not in drawn(view.render())


def test_a_view_that_cannot_read_a_message_says_so_and_does_not_raise() -> None:
    view = LiveView("x")
    view(broken())
    assert "cannot read message evaluated" in drawn(view.render())


def test_a_screen_that_cannot_be_drawn_says_so_and_does_not_raise() -> None:
    story = Story.of(until_the_end(4))
    story.generations[-1] = replace(story.generations[-1], kept="seven")  # type: ignore[arg-type]
    assert "cannot be drawn" in drawn(screen(story))


def test_without_a_terminal_there_is_a_line_a_generation() -> None:
    console = Console(file=io.StringIO(), width=30)
    with watching(console, "runs/x") as watch:
        for message in synthetic_messages(12):
            watch(message)
        watch(m.Dropped(what="task", n=3, why="an exam asks it"))
        watch.say("stopping")
    lines = written(console).splitlines()
    assert lines[0] == "start       runs/x, tiny, seed 7, sandbox L3"
    assert sum(line.startswith("generation ") for line in lines) == 12
    exams = [line for line in lines if line.startswith("exam ")]
    assert len(exams) == 6
    assert not any("pool" in line for line in exams)
    assert [line for line in lines if line.startswith("decision")] == [
        "decision    train on: the gain is +1.0 points"
    ]
    assert lines[-3].startswith("stop        budget after 2:3")
    assert lines[-2:] == ["dropped     3 task: an exam asks it", "stopping"]
    assert "\x1b" not in written(console)


def test_the_log_survives_a_message_it_cannot_read() -> None:
    console = Console(file=io.StringIO())
    PlainLog(console, "x")(broken())
    assert "cannot read message evaluated" in written(console)


def test_in_a_terminal_the_last_screen_stays() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=90, height=40, color_system=None)
    messages = synthetic_messages(4)
    with watching(console, "runs/x", messages[:6]) as watch:
        for message in messages[6:]:
            watch(message)
    assert "stopped: budget" in written(console)


def test_a_resumed_run_goes_on_from_its_past() -> None:
    console = Console(file=io.StringIO())
    messages = synthetic_messages(4)
    with watching(console, "runs/x", messages) as watch:
        resumed = m.RunResumed(id=10_000, from_generation=4, first=9_000, last=9_999, superseded={})
        watch(resumed)
        assert len(watch.story.generations) == 4  # type: ignore[attr-defined]
    assert written(console) == "resume      from generation 4\n"


# ── what a person is shown beside the numbers ────────────────────────────────────────────────────────────


def judged(answer: str, passed: bool = True) -> m.Judged:
    found = next(x for x in synthetic_messages(2) if isinstance(x, m.Judged) and x.groups)
    group = found.groups[0]
    return replace(
        found,
        groups=(
            replace(
                group,
                episodes=(replace(group.episodes[0], answer=answer),),
                verdicts=(replace(group.verdicts[0], passed=passed, reason=""),),
            ),
        ),
    )


def test_the_screen_shows_the_last_task_its_answer_and_the_verdict() -> None:
    view = LiveView("x")
    view(started())
    view(judged("[3,1,4]"))
    shown = drawn(view.render())
    assert "answer    passed  [3,1,4]" in shown
    assert "task      " in shown
    view(judged("[9]", passed=False))
    assert "answer    failed  [9]" in drawn(view.render())


def test_what_a_model_wrote_moves_no_cursor() -> None:
    view = LiveView("x")
    view(started())
    view(judged("\x1b[2J\x1b]0;title\x07\r\nsecond\u202eline"))
    shown = drawn(view.render())
    assert "\x1b" not in shown
    assert "\x07" not in shown
    assert "\u202e" not in shown
    assert "[2J ]0;title second line" in shown


@pytest.mark.parametrize("width", [24, 30, 40])
def test_time_and_generation_are_whole_on_a_narrow_screen(width: int) -> None:
    story = Story.of(until_the_end(20))
    shown = drawn(replace(screen(story), worked=5025.0), width=width)
    assert "1:23:45" in shown
    assert "generation 20" in shown


def test_a_spent_budget_says_what_still_comes() -> None:
    messages = until_the_end(4)
    story = Story.of(messages)
    assert "spent" not in drawn(screen(story))
    late = replace(screen(story), worked=1e6)
    assert "spent: the last decision and exam" in drawn(late)
    assert "left" not in drawn(late)
    story.add(m.GenerationBegan(generation=5))
    assert "spent: finishing generation 5, then the last decision and exam" in drawn(late)


def test_before_the_run_has_begun_there_is_no_empty_bar() -> None:
    shown = drawn(LiveView("x").render())
    assert "─" not in shown
    assert "waits for torch and the model to load" in shown


def test_while_the_rules_write_the_tasks_the_screen_says_so() -> None:
    story = Story.of(until_the_end(1))
    assert story.generations[-1].proposals.asked == 0
    shown = drawn(screen(story))
    assert "written by the rules" in shown
    assert "– valid" not in shown


def test_its_words_are_explained_where_there_is_room() -> None:
    story = Story.of(until_the_end(20))
    assert "0.5 is chance" in drawn(screen(story), width=110, height=40)
    assert "0.5 is chance" not in drawn(screen(story), width=110, height=24)
    assert "Ctrl-C stops" in drawn(screen(story), width=110, height=24)
