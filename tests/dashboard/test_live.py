import io

import pytest
from rich.console import Console
from synthetic_run import synthetic_events

from autotelic.dashboard.live import SILENCE, LiveView, PlainLog, Screen, watching
from autotelic.dashboard.story import Story, tell
from autotelic.record import Event


def drawn(renderable, width=100, height=40):
    console = Console(width=width, height=height, file=io.StringIO(), force_terminal=True, color_system=None)
    console.print(renderable)
    return console.file.getvalue()


def screen(story, silent=0.0, notice=""):
    return Screen(story=story, title="runs/x", worked=100.0, in_stage=14.0, silent=silent, notice=notice)


def stage(name, **data):
    return Event(id=0, time=0.0, generation=1, kind="stage", data={"name": name, **data})


class Clock:
    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


def test_the_screen_shows_what_a_run_is_judged_by():
    shown = drawn(screen(tell(synthetic_events(20)[:-5])))
    for word in (
        "runs/x",
        "generation 20",
        "deduction",
        "level 3",
        "valid",
        "novel",
        "AUROC",
        "ECE",
        "tokens/s",
    ):
        assert word in shown
    for word in ("left", "promote at generation", "of training", "before"):
        assert word in shown


@pytest.mark.parametrize("count", [0, 1, 2, 6, 30])
@pytest.mark.parametrize("width", [1, 2, 7, 20, 39, 67, 72, 80, 200])
def test_the_screen_fits_every_width_at_every_moment(width, count):
    story = tell(synthetic_events(10)[:count])
    story.stage = {"name": "learn", "done": 3, "of": 10}
    shown = drawn(screen(story, silent=99.0, notice="stopping"), width=width)
    assert all(len(line) <= width for line in shown.splitlines())
    assert "cannot be drawn" not in shown


def test_a_silent_stage_says_what_it_waits_for():
    story = Story(stage={"name": "judge"})
    assert "waits for" not in drawn(screen(story, silent=SILENCE - 1))
    assert "waits for the sandbox" in drawn(screen(story, silent=SILENCE + 1))
    story.stage = {"name": "judge", "waits_for": "a slow disk"}
    assert "waits for a slow disk" in drawn(screen(story, silent=SILENCE + 1))


def test_time_in_a_stage_runs_from_its_first_heartbeat():
    clock = Clock()
    view = LiveView("x", clock)
    view(stage("learn"))
    clock.now += 20
    view(stage("learn", done=5, of=10))
    clock.now += 4
    shown = drawn(view.render())
    assert "learn  24.0 s" in shown
    assert "5 of 10" in shown
    assert "waits for" not in shown


def test_a_view_that_cannot_read_an_event_says_so_and_does_not_raise():
    view = LiveView("x")
    view(Event(id=0, time=0.0, generation=1, kind="exam", data={"exam": "sealed"}))
    assert "cannot read event exam" in drawn(view.render())


def test_a_screen_that_cannot_be_drawn_says_so_and_does_not_raise():
    story = tell(synthetic_events(4))
    story.generations[-1].learn["loss"] = "seven"
    assert "cannot be drawn" in drawn(screen(story))


def test_without_a_terminal_there_is_a_line_a_generation():
    console = Console(file=io.StringIO(), width=30)
    with watching(console, "runs/x") as watch:
        for event in synthetic_events(5):
            watch(event)
        watch.say("stopping")
    lines = console.file.getvalue().splitlines()
    assert sum(line.startswith("generation ") for line in lines) == 5
    assert sum(line.startswith("exam ") for line in lines) == 4
    assert [line for line in lines if line.startswith("decision")] == [
        "decision    reject: 11 items lost, 3 won: worse"
    ]
    assert lines[-2].startswith("stop        budget after 1:0")
    assert lines[-1] == "stopping"
    assert "\x1b" not in console.file.getvalue()


def test_the_log_survives_an_event_it_cannot_read():
    console = Console(file=io.StringIO())
    PlainLog(console, "x")(Event(id=0, time=0.0, generation=1, kind="run.resume", data={}))
    assert "cannot read event run.resume" in console.file.getvalue()


def test_in_a_terminal_the_last_screen_stays():
    console = Console(file=io.StringIO(), force_terminal=True, width=90, height=40, color_system=None)
    events = synthetic_events(4)
    with watching(console, "runs/x", events[:6]) as watch:
        for event in events[6:]:
            watch(event)
    assert "stopped: budget" in console.file.getvalue()


def test_a_resumed_run_goes_on_from_what_was_told():
    console = Console(file=io.StringIO())
    events = synthetic_events(4)
    with watching(console, "runs/x", events) as watch:
        watch(Event(id=0, time=0.0, generation=4, kind="run.resume", data={"from_generation": 4}))
    assert console.file.getvalue() == "resume      from generation 4\n"
