from synthetic_run import CHARTER, score, synthetic_events

from autotelic.dashboard.story import Story, tell
from autotelic.record import Event
from autotelic.types import Cell


def event(kind, generation=0, **data):
    return Event(id=1, time=0.0, generation=generation, kind=kind, data=data)


def generation(number, seconds=10.0, **data):
    return event("generation", number, seconds=seconds, total_tokens=number * 100, **data)


def sitting(number, when="during", value=0.5, exam="sealed"):
    cells = {"induction/2": {"pass_at_1": score(value)}}
    told = {"exam": exam, "when": when, "pass_at_1": score(value), "cells": cells}
    return event("exam", number, tokens=number * 100, seconds=number * 10.0, **told)


def test_before_and_after_are_the_first_and_the_last_sealed_exam():
    story = tell(synthetic_events(8))
    assert story.before.when == "before"
    assert story.after.when == "after"
    assert story.after.pass_at_1.value > story.before.pass_at_1.value
    assert story.sat("own")


def test_an_exam_on_the_way_stands_for_after_until_there_is_one():
    story = tell([sitting(0, "before", 0.0), sitting(3)])
    assert story.after.when == "during"
    assert tell([sitting(0, "before", 0.0)]).after is None


def test_resuming_takes_back_what_came_after_the_checkpoint():
    told = [sitting(0, "before"), generation(1), generation(2), sitting(2), generation(3), sitting(3)]
    verdict = event("decision", 3, verdict="promote", reasons=["fine"], inputs={})
    story = tell(
        [*told, verdict, event("run.stop", reason="interrupted"), event("run.resume", from_generation=2)]
    )
    assert [g.number for g in story.generations] == [1, 2]
    assert [s.generation for s in story.sittings] == [0, 2]
    assert story.rulings == []
    assert (story.stopped, story.resumes) == ("", 1)


def test_a_generation_told_again_replaces_its_first_telling():
    story = tell([generation(1), generation(2, 99.0), generation(2, 5.0), sitting(2, value=0.1), sitting(2)])
    assert [g.seconds for g in story.generations] == [10.0, 5.0]
    assert story.seconds == 20.0
    assert [s.pass_at_1.value for s in story.sittings] == [0.5]


def test_what_was_not_measured_is_none():
    critic = {"auroc": "nan", "ece": float("nan"), "n": 12}
    told = tell([generation(1, critic=critic, actor_task_share=None)]).generations[0]
    assert told.critic == {"auroc": None, "ece": None, "n": 12}
    assert told.actor_task_share is told.train_speed is told.consensus_agreement is None


def test_an_empty_story_answers_every_question():
    story = Story()
    assert (story.seconds, story.tokens, story.flops) == (0.0, 0, 0.0)
    assert story.before is story.after is story.actor_task_share is story.spent(10.0) is None
    assert story.modes == story.levels == story.sat("sealed") == []


def test_actor_share_leaves_the_bootstrap_out_and_weighs_by_tokens():
    story = tell(
        [
            generation(1, bootstrap=True, actor_task_share=0.0, tokens={"trained": 1000}),
            generation(2, actor_task_share=0.2, tokens={"trained": 100}),
            generation(3, actor_task_share=0.8, tokens={"trained": 300}),
        ]
    )
    assert abs(story.actor_task_share - 0.65) < 1e-9


def test_the_nearest_limit_of_the_budget_counts():
    charter = CHARTER.replace({"budget.seconds": 100.0, "budget.generations": 4}).canonical()
    story = tell([event("run.start", charter=charter), generation(1), generation(2), generation(3)])
    assert story.spent(10.0) == 0.75
    assert story.spent(90.0) == 0.9
    assert story.spent(500.0) == 1.0


def test_mean_weighs_cells_alike_and_can_be_narrowed():
    cells = {"deduction/1": 0.8, "deduction/4": 0.4, "induction/1": 0.2}
    told = {name: {"pass_at_1": score(value)} for name, value in cells.items()}
    story = tell([event("exam", exam="sealed", when="before", pass_at_1=score(0.5), cells=told)])
    assert abs(story.before.mean("deduction") - 0.6) < 1e-9
    assert abs(story.before.mean(levels=(1, 2, 3)) - 0.5) < 1e-9
    assert story.before.mean("repair") is None
    assert story.before.cells[Cell(mode="induction", level=1)].value == 0.2


def test_modes_are_in_reading_order_whatever_the_record_sorts_them_by():
    cells = {
        name: {"pass_at_1": score(0.5)} for name in ("abduction/1", "deduction/1", "zebra/1", "repair/1")
    }
    story = tell([event("exam", exam="sealed", when="before", pass_at_1=score(0.5), cells=cells)])
    assert story.modes == ["deduction", "abduction", "repair", "zebra"]
