"""The model's own exam: whose items, which of them, and why not the others."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotelic.exam.own import freeze_own
from autotelic.exam.sealed import Exam
from autotelic.propose.novelty import Signatures
from autotelic.types import Lineage, Task

AUTHOR = "a1b2c3d4"
FLIPS = [0.0, 1.0]


def pool(count: int, level: int = 1, author: str = AUTHOR) -> list[Task]:
    return [
        Task(
            domain="d",
            mode="double",
            level=level,
            prompt=str(1000 * level + n),
            secret={},
            lineage=Lineage(author=author, generation=3),
        )
        for n in range(count)
    ]


def frozen(
    tasks: Sequence[Task], rates: list[float] | dict[str, list[float]], **settings: Any
) -> tuple[Exam | None, dict[str, int]]:
    by_id = {item.id: rates for item in tasks} if isinstance(rates, list) else rates
    return freeze_own(tasks, by_id, **{"most": 4, "least": 1, **settings})


def test_items_that_tell_generations_apart_are_frozen() -> None:
    tasks = pool(4)
    exam, refused = frozen(tasks, FLIPS)
    assert isinstance(exam, Exam)
    assert exam.name == "own"
    assert {item.id for item in exam.items} == {item.id for item in tasks}
    assert refused == {}


@pytest.mark.parametrize(
    ("reason", "rates"),
    [
        ("unattempted", [1.0]),
        ("unattempted", []),
        ("unsolved", [0.0, 0.0, 0.0]),
        ("solved", [1.0, 1.0]),
        ("solved", [0.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0]),
        ("indifferent", [0.5, 0.6]),
        ("indifferent", [0.5, 0.5, 0.5]),
    ],
)
def test_what_says_nothing_about_recent_generations_is_refused(reason: str, rates: list[float]) -> None:
    assert frozen(pool(3), rates) == (None, {reason: 3})


def test_what_is_known_repeated_or_not_the_actors_is_refused() -> None:
    tasks = pool(4)
    by_rules = pool(2, level=2, author="rules")
    again = replace(tasks[0], id="another text that behaves the same")
    exam, refused = frozen([*tasks, again, *by_rules], FLIPS, known={tasks[1].signature})
    assert exam is not None
    assert {item.id for item in exam.items} == {tasks[i].id for i in (0, 2, 3)}
    assert refused == {"known": 1, "repeated": 1, "rules": 2} == dict(exam.refused)


def test_an_item_that_moves_with_the_others_discriminates_however_little() -> None:
    follows, opposes, *others = pool(6)
    rates = {item.id: [0.0, 0.4, 0.8, 1.0] for item in others}
    rates |= {follows.id: [0.4, 0.45, 0.5, 0.55], opposes.id: [0.55, 0.5, 0.45, 0.4]}
    exam, refused = frozen([follows, opposes, *others], rates, most=9)
    assert refused == {"indifferent": 1}
    assert follows.id in {item.id for item in exam.items}


def test_rates_are_aligned_at_the_newest_generation() -> None:
    late, *others = pool(4)
    rates = {item.id: [0.9, 0.9, 0.9, 0.1, 0.5, 0.9] for item in others}
    rates[late.id] = [0.4, 0.5, 0.6]  # rises with the last three
    assert frozen([late, *others], rates)[1] == {}
    rates[late.id] = [0.6, 0.5, 0.4]
    assert frozen([late, *others], rates)[1] == {"indifferent": 1}


def test_real_rates_tell_generations_apart_as_shares_of_passes_do() -> None:
    rises, still, hopeless = pool(3)
    rates = {rises.id: [0.21, 0.34, 0.55], still.id: [0.62, 0.61, 0.6], hopeless.id: [0.0, 0.0, 0.0]}
    exam, refused = frozen([rises, still, hopeless], rates)
    assert exam is not None
    assert [item.id for item in exam.items] == [rises.id]
    assert refused == {"indifferent": 1, "unsolved": 1}


def test_what_was_trained_on_may_be_given_by_whatever_knows_it() -> None:
    known, tasks = Signatures(), pool(3)
    known.add(tasks[0].signature)
    exam, refused = frozen(tasks, FLIPS, known=known)
    assert exam is not None
    assert {item.id for item in exam.items} == {tasks[1].id, tasks[2].id}
    assert refused == {"known": 1}


def test_a_fall_discriminates_as_a_rise_does() -> None:
    exam, _ = frozen(pool(2), [1.0, 0.0])
    assert exam is not None
    assert len(exam.items) == 2


def test_cells_are_asked_alike_and_the_surplus_is_counted() -> None:
    tasks = [*pool(20), *pool(3, level=2)]
    exam, refused = frozen(tasks, FLIPS, most=6)
    assert Counter(item.level for item in exam.items) == {1: 3, 2: 3}
    assert refused == {"surplus": 17}


def test_too_few_items_are_no_exam_yet() -> None:
    assert freeze_own(pool(3), {t.id: FLIPS for t in pool(3)}, most=8) == (None, {})
    exam, _ = freeze_own(pool(4), {t.id: FLIPS for t in pool(4)}, most=8)
    assert exam is not None
    assert freeze_own([], {}, most=8) == (None, {})


@given(order=st.permutations(pool(8)))
def test_the_exam_does_not_depend_on_the_order_of_the_pool(order: list[Task]) -> None:
    one, other = frozen(order, FLIPS)[0], frozen(pool(8), FLIPS)[0]
    assert one is not None
    assert other is not None
    assert one.digest == other.digest


@given(st.lists(st.lists(st.sampled_from([0.0, 0.25, 0.5, 1.0]), max_size=8), max_size=12))
def test_every_task_is_an_item_or_is_counted(rows: list[list[float]]) -> None:
    tasks = pool(len(rows))
    exam, refused = freeze_own(
        tasks, {t.id: row for t, row in zip(tasks, rows, strict=True)}, most=5, least=1
    )
    items = exam.items if exam else ()
    assert len(items) + sum(refused.values()) == len(tasks)
    assert len(items) <= 5
    for item in items:
        recent = rows[tasks.index(item)][-6:]
        assert len(recent) >= 2
        assert max(recent) > 0
        assert min(recent) < 1
