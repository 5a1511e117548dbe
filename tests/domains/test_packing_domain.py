"""Online bin packing: the simulator against a plain one, bad answers, held-out distributions, own files."""

from __future__ import annotations

import numpy as np
import pytest

from autotelic.charter import Charter
from autotelic.domains import capabilities_of, load_domain
from autotelic.domains.expressions import draw, parse
from autotelic.domains.packing import PackingDomain
from autotelic.domains.packing.domain import BEST, POOREST, WORST, excess_of, read
from autotelic.domains.packing.simulator import (
    NAMES,
    best_fit,
    bins_needed,
    bins_side_by_side,
    first_fit,
    lower_bound,
    orders,
    ranks,
    uniform,
    weibull,
)
from autotelic.errors import DomainError
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Lineage, Task, Verdict

DOMAIN = PackingDomain()
EASY = Cell(mode="weibull", level=1)


def judged(task: Task, *answers: str) -> list[Verdict]:
    return DOMAIN.judge([(task, Episode(task_id=task.id, steps=(), answer=text)) for text in answers])


def plain_best_fit(items: list[int], capacity: int) -> int:
    """Best fit as it is told: every bin is looked at."""
    rooms: list[int] = []
    for item in items:
        fitting = [room for room in rooms if room >= item]
        if fitting:
            rooms.remove(min(fitting))
            rooms.append(min(fitting) - item)
        else:
            rooms.append(capacity - item)
    return len(rooms)


@pytest.mark.parametrize("seed", range(5))
def test_best_fit_as_a_formula_needs_the_bins_of_a_plain_best_fit(seed: int) -> None:
    items = weibull(stream(seed, "t"), 3.0, 45.0, 100, 300)
    assert best_fit(items, 100) == plain_best_fit(items.tolist(), 100)


def test_first_fit_uses_the_oldest_bin_with_room() -> None:
    # 6, 7 open two bins of 10; 3 goes into the first (room 1), the next 3 into the second, 2 opens a third.
    assert first_fit(np.array([6, 7, 3, 3, 2]), 10) == 3
    assert best_fit(np.array([6, 5, 4, 5]), 10) == 2


def test_a_new_bin_for_every_item_is_given_up() -> None:
    items = weibull(stream(0, "t"), 3.0, 45.0, 100, 300)
    assert bins_needed(orders(parse("room", NAMES), 100), items, 100) < 300


@pytest.mark.parametrize("capacity", [100, 150])
def test_side_by_side_needs_the_bins_of_one_by_one(capacity: int) -> None:
    texts = [
        *(draw(stream(seed, "f"), NAMES) for seed in range(40)),
        "-gap",
        "1/0",
        "log(0-gap)",
        "gap^gap^gap",
    ]
    formulas = [parse(text, NAMES) for text in texts]
    tables = [orders(formula, capacity) for formula in formulas]
    items = [
        weibull(stream(0, "t"), 3.0, 0.45 * capacity, capacity, 300),
        uniform(stream(1, "t"), 20, 90, 300),
    ]
    lanes = [(at, sizes) for at in range(len(texts)) for sizes in items]
    found = bins_side_by_side([ranks(formula, capacity) for formula in formulas], lanes, capacity)
    alone = [bins_needed(tables[at], sizes, capacity) for at, sizes in lanes]
    hopeless = [1.25 * lower_bound(sizes, capacity) for _, sizes in lanes]
    assert [min(*pair) for pair in zip(found, hopeless, strict=True)] == [
        min(*pair) for pair in zip(alone, hopeless, strict=True)
    ]
    assert sum(one < least for one, least in zip(alone, hopeless, strict=True)) > 20


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ("", "empty"),
        ("gap +", "syntax"),
        ("capacity", "name"),
        ("(" * 200 + "gap" + ")" * 90, "deep"),
        ("gap+" * 90 + "gap", "long"),
        ("__import__('os')", "syntax"),
        ("gap.__class__", "syntax"),
        ("min(gap)", "syntax"),
        ("gap gap", "syntax"),
        ("\ud800", "syntax"),
        ("-1e999", "range"),
    ],
)
def test_what_is_no_formula_gets_the_lowest_reward_and_a_reason(answer: str, reason: str) -> None:
    (task,) = DOMAIN.tasks(stream(0, "t"), [EASY])
    (verdict,) = judged(task, answer)
    assert (verdict.reward, verdict.passed, verdict.reason) == (WORST, False, reason)


@pytest.mark.parametrize(
    "answer", ["1/0", "log(0-gap)", "gap^gap^gap^gap", "exp(exp(exp(room)))", "gap+" * 29 + "gap"]
)
def test_an_undefined_priority_is_worth_more_than_no_formula(answer: str) -> None:
    (task,) = DOMAIN.tasks(stream(0, "t"), [EASY])
    (verdict,) = judged(task, answer)
    assert POOREST <= verdict.reward <= BEST


def test_best_fit_saves_nothing_and_does_not_beat_itself() -> None:
    (task,) = DOMAIN.tasks(stream(0, "t"), [EASY])
    verdicts = judged(task, "priority = -gap", "```\n0-gap\n```", "gap")
    assert verdicts[0].reward == verdicts[1].reward == 0
    assert [verdict.passed for verdict in verdicts] == [False, False, False]
    assert verdicts[2].reward < verdicts[0].reward


def test_a_formula_that_keeps_bins_open_for_nothing_gets_the_poorest_reward() -> None:
    (task,) = DOMAIN.tasks(stream(3, "t"), [Cell(mode="weibull", level=3)])
    (loses,) = judged(task, "gap")
    assert loses.reward == POOREST
    assert not loses.passed


def test_a_reward_is_what_is_saved_against_best_fit() -> None:
    (task,) = DOMAIN.tasks(stream(3, "t"), [Cell(mode="weibull", level=3)])
    (verdict,) = judged(task, "abs(50-gap)")
    saved = excess_of(task, parse("-gap", NAMES)) - excess_of(task, parse("abs(50-gap)", NAMES))
    assert verdict.reward == pytest.approx(saved)
    assert verdict.passed == (saved > 0)


def test_a_shown_answer_has_to_be_improved_upon() -> None:
    (task,) = DOMAIN.tasks(stream(3, "t"), [Cell(mode="weibull", level=3)])
    nothing = judged(task, "-gap")[0]
    shown = DOMAIN.repair(task, "abs(50-gap)", nothing, Lineage())
    assert shown is not None
    assert shown.is_repair
    assert shown.prompt == f"{task.prompt}abs(50-gap)\n"
    assert shown.signature == task.signature
    assert judged(shown, "abs(50-gap)")[0].passed is False
    assert judged(shown, "abs(50-gap)")[0].reward == judged(task, "abs(50-gap)")[0].reward
    assert DOMAIN.repair(task, "gap+", nothing, Lineage()) is None
    assert DOMAIN.repair(shown, "-gap", nothing, Lineage()) is None
    (text,) = DOMAIN.answers([shown], stream(0, "a"))
    assert text
    assert parse(text, NAMES).nodes <= 12


def test_what_packs_alike_is_the_same() -> None:
    assert DOMAIN.same("weibull", "-gap") == DOMAIN.same("weibull", "priority = 0-2*gap") != ""
    assert DOMAIN.same("weibull", "-gap") != DOMAIN.same("weibull", "if(room,50,1/gap,1/2)")
    assert DOMAIN.same("weibull", "gap+") == ""


def test_an_exam_is_held_out_by_distribution() -> None:
    practised = DOMAIN.tasks(stream(0, "t"), [EASY] * 300 + [Cell(mode="uniform", level=2)] * 300)
    examined = DOMAIN.tasks(stream(1, "t"), [Cell(mode=mode, level=3) for mode in DOMAIN.spec.modes] * 20)
    seen = {(t.mode, t.secret["first"], t.secret["second"], t.secret["capacity"]) for t in practised}
    asked = {(t.mode, t.secret["first"], t.secret["second"], t.secret["capacity"]) for t in examined}
    assert not seen & asked
    assert len({task.signature for task in practised}) == len(seen) > 300
    assert len({task.signature for task in examined}) == 40


def test_the_same_stream_gives_the_same_tasks_and_verdicts() -> None:
    first, second = (DOMAIN.tasks(stream(5, "t"), [EASY] * 3) for _ in range(2))
    assert first == second
    assert judged(first[0], "item-room/2") == judged(second[0], "item-room/2")


def test_answers_of_the_right_form_are_formulas() -> None:
    tasks = DOMAIN.tasks(stream(0, "t"), [EASY] * 40)
    texts = [text for text in DOMAIN.answers(tasks, stream(0, "a")) if text]
    assert len(set(texts)) > 20
    assert all(parse(text, NAMES).nodes for text in texts)
    assert len(DOMAIN.corpus(stream(0, "c"), 10)) == 10


def test_an_own_file_is_a_task() -> None:
    task = DOMAIN.pose("4 10\n6 5 4 5\n")
    (verdict,) = judged(task, "-gap")
    assert verdict.reward == 0
    assert verdict.feedback.startswith("0.00 %")


@pytest.mark.parametrize(
    "text", ["", "hello", "3 10 5 5", "1 10 11", "1 10 0", "1 99999999 3", "2 10 5 5.5", "-1 3"]
)
def test_a_bad_file_is_one_line(text: str) -> None:
    with pytest.raises(DomainError) as caught:
        read(text)
    assert "\n" not in str(caught.value)


def test_it_is_found_by_name_and_can_be_asked_in_words() -> None:
    charter = Charter.of({"domain": {"name": "packing", "levels": [1, 2], "style": "natural"}})
    domain = load_domain(charter.domain)
    (task,) = domain.tasks(stream(0, "t"), [EASY])
    assert "Weibull distributed with shape" in str(task.prompt)
    assert "shaped" in capabilities_of(domain)
