"""The sealed exam: distinct items, none for free, committed to by a digest, and never a whole cell."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from schoolroom import Schoolroom, task

from autotelic.domains.python import PythonDomain
from autotelic.errors import DomainError, RecordError
from autotelic.exam import Exam, draw_sealed
from autotelic.sandbox import Limits, Sandbox
from autotelic.types import Cell

DOUBLE = [Cell(mode="double", level=1), Cell(mode="double", level=2)]
COIN = Cell(mode="coin", level=1)


def drawn(domain: Schoolroom, cells: list[Cell] = DOUBLE, seed: int = 0, items: int = 10) -> Exam:
    return draw_sealed(domain, seed, cells, items_per_cell=items, free_answers=64)


def test_every_cell_is_filled_with_items_that_differ():
    exam = drawn(Schoolroom())
    assert [item.cell for item in exam.items] == [DOUBLE[0]] * 10 + [DOUBLE[1]] * 10
    assert len({item.id for item in exam.items}) == len(exam.signatures) == 20
    assert exam.signatures == {item.signature for item in exam.items}
    assert (exam.name, exam.missing, exam.dropped_free) == ("sealed", {}, 0)
    assert exam.cells == tuple(DOUBLE)


def test_the_draw_is_a_function_of_its_seed():
    assert drawn(Schoolroom()) == drawn(Schoolroom())
    assert drawn(Schoolroom()).digest != drawn(Schoolroom(), seed=1).digest


def test_items_that_other_answers_pass_are_refused_and_reported():
    exam = drawn(Schoolroom(), [*DOUBLE, COIN])
    assert {item.mode for item in exam.items} == {"double"}
    assert exam.missing == {"coin/1": 10}
    assert exam.dropped_free > 10
    with pytest.raises(DomainError, match="no exam item of coin/1"):
        drawn(Schoolroom(), [COIN])


def test_items_are_replaced_where_some_are_free():
    class Halves(Schoolroom):
        def judge(self, answers):
            found = super().judge(answers)
            free = [int(task.prompt.split()[-1]) % 2 == 0 for task, _ in answers]
            return [replace(v, passed=v.passed or f) for v, f in zip(found, free, strict=True)]

    exam = drawn(Halves())
    assert len(exam.items) == 20
    assert all(int(item.prompt.split()[-1]) % 2 for item in exam.items)
    assert exam.dropped_free > 0


def test_guesses_are_other_tasks_answers_of_the_same_form():
    domain = Schoolroom()
    drawn(domain, [*DOUBLE, COIN])
    for batch in domain.batches:
        for asked, answer in batch:
            assert answer != asked.secret["answer"] or asked.mode == "coin"
            assert (answer in ("heads", "tails")) == (asked.mode == "coin")
    most = max(
        sum(asked.id == one.id for asked, _ in domain.batches[0]) for one, _ in domain.batches[0][::64]
    )
    assert most == 64


def test_an_item_without_others_of_its_form_is_refused():
    class Strange(Schoolroom):
        def rules(self, rng, cells):
            tasks = super().rules(rng, cells)
            return [replace(t, cluster=t.id) if odd(t) else t for t in tasks]

    def odd(task):
        return int(task.prompt.split()[-1]) % 2

    exam = drawn(Strange())
    assert not any(odd(item) for item in exam.items)
    assert len(exam.items) == 20
    assert exam.refused["rare"] > 0


@settings(max_examples=25, deadline=None)
@given(behaviours=st.integers(4, 400), items=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_small_cell_is_not_used_up(behaviours, items, seed):
    try:
        exam = drawn(Schoolroom(behaviours), DOUBLE[:1], seed, items)
    except DomainError:
        assert behaviours < 12
        return
    # The estimate may be above the truth by its own error, never by much.
    assert len(exam.items) <= max(1, 0.4 * behaviours)
    assert len(exam.items) + exam.missing.get("double/1", 0) == items


def test_a_cell_without_tasks_is_reported_and_not_padded():
    exam = drawn(Schoolroom(coin=0), [*DOUBLE, COIN])
    assert exam.missing == {"coin/1": 10}
    assert len(exam.items) == 20


def test_json_gives_the_same_exam_and_tells_a_change():
    exam = drawn(Schoolroom(), [*DOUBLE, COIN])
    data = json.loads(json.dumps(exam.to_json()))
    assert Exam.from_json(data) == exam
    assert Exam.from_json(data).digest == exam.digest
    data["items"][3]["secret"]["answer"] = "0"
    with pytest.raises(RecordError, match="after they were sealed"):
        Exam.from_json(data)


def test_the_digest_covers_secrets_and_order():
    one, two = task("double", 1, 5), task("double", 1, 6)
    digest = Exam(name="x", items=(one, two)).digest
    assert digest == Exam(name="y", items=(one, two)).digest
    assert digest != Exam(name="x", items=(two, one)).digest
    assert digest != Exam(name="x", items=(replace(one, secret={"answer": "0"}), two)).digest


def test_an_exam_asks_everything_once():
    one, two = task("double", 1, 5), task("double", 2, 5)
    with pytest.raises(ValueError, match="twice"):
        Exam(name="x", items=(one, one))
    exam = Exam.of("gate", [one, one, two, task("double", 2, 6)])
    assert [item.id for item in exam.items] == ["double-1-5", "double-2-6"]
    assert exam.refused == {"repeated": 2}


def test_an_exam_of_real_python():
    cells = [Cell(mode=mode, level=1) for mode in ("deduction", "abduction", "induction")]
    with Sandbox(Limits(wall_s=5.0, cpu_s=5.0), workers=1, require="L0") as box:
        domain = PythonDomain(box)
        exam = draw_sealed(domain, 3, cells, items_per_cell=4, free_answers=16)
        solved = domain.judge([(t, domain.answer(t.mode, domain.worked(t))) for t in exam.items])
    assert len(exam.items) + sum(exam.missing.values()) == 12
    assert len(exam.items) >= 10
    assert all(verdict.passed for verdict in solved)
    assert Exam.from_json(json.loads(json.dumps(exam.to_json()))) == exam
