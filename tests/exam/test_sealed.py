"""The sealed exam: distinct items, none for free, none known, committed to by a digest, and never a whole cell."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace

import pytest
from fakes import FakeDomain, Throws, Turns, task
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.domains.python import PythonDomain
from autotelic.errors import DomainError, RecordError
from autotelic.exam.sealed import Exam, answered, draw_sealed, fresh_items, gate_items
from autotelic.sandbox import Limits, Sandbox
from autotelic.streams import stream
from autotelic.types import Cell, Demonstration, Ids, Image, Text

DOUBLE = [Cell(mode="double", level=1), Cell(mode="double", level=2)]
COIN = Cell(mode="coin", level=1)
THROW = Cell(mode="throw", level=1)


def drawn(domain=None, cells=DOUBLE, seed: int = 0, items: int = 10, **more) -> Exam:
    return draw_sealed(domain or FakeDomain(), seed, cells, items, **more)


def test_every_cell_is_filled_with_items_that_differ():
    exam = drawn()
    assert [item.cell for item in exam.items] == [DOUBLE[0]] * 10 + [DOUBLE[1]] * 10
    assert len({item.id for item in exam.items}) == len(exam.signatures) == 20
    assert exam.signatures == {item.signature for item in exam.items}
    assert (exam.name, exam.missing, exam.dropped_free) == ("sealed", {}, 0)
    assert exam.cells == tuple(DOUBLE)


def test_the_draw_is_a_function_of_its_seed():
    assert drawn() == drawn()
    assert drawn().digest != drawn(seed=1).digest


def test_items_that_other_answers_pass_are_refused_and_reported():
    exam = drawn(cells=[*DOUBLE, COIN])
    assert {item.mode for item in exam.items} == {"double"}
    assert exam.missing == {"coin/1": 10}
    assert exam.dropped_free > 10
    with pytest.raises(DomainError, match="gave no exam item of coin/1"):
        drawn(cells=[COIN])


def test_items_are_replaced_where_some_are_free():
    class Halves(FakeDomain):
        def verdict(self, task, answer):
            found = super().verdict(task, answer)
            return replace(found, passed=found.passed or int(task.prompt.split()[-1]) % 2 == 0)

    exam = drawn(Halves())
    assert len(exam.items) == 20
    assert all(int(item.prompt.split()[-1]) % 2 for item in exam.items)
    assert exam.dropped_free > 0


def test_guesses_are_64_other_answers_of_the_same_form():
    domain = FakeDomain()
    drawn(domain, [*DOUBLE, COIN])
    for batch in domain.batches:
        for asked, answer in batch:
            assert answer != asked.secret["answer"] or asked.mode == "coin"
            assert (answer in ("heads", "tails")) == (asked.mode == "coin")
    assert max(Counter(asked.id for asked, _ in domain.batches[0]).values()) == 64


def test_an_item_without_others_of_its_form_is_refused():
    class Strange(FakeDomain):
        def tasks(self, rng, cells):
            return [replace(t, form=t.prompt, id="") if odd(t) else t for t in super().tasks(rng, cells)]

    def odd(task):
        return int(task.prompt.split()[-1]) % 2

    exam = drawn(Strange())
    assert not any(odd(item) for item in exam.items)
    assert len(exam.items) == 20
    assert exam.refused["rare"] > 0


def test_a_domain_without_solutions_has_an_exam_and_is_asked_nothing():
    domain = Throws()
    exam = drawn(domain, [THROW])
    assert len(exam.items) == 10
    assert (domain.judged, exam.refused) == (0, {})


def test_a_domain_that_knows_no_solution_of_any_task_refuses_none_as_rare():
    class Unsolved(FakeDomain):
        def demonstrate(self, tasks):
            return [None] * len(tasks)

    assert len(drawn(Unsolved()).items) == 20


def test_a_guess_at_a_real_reward_counts_where_it_earns_the_most():
    class Known(Throws):
        def demonstrate(self, tasks):
            return [Demonstration(completion=str(task.secret["target"])) for task in tasks]

    class Generous(Known):
        def judge(self, episodes):
            return [replace(verdict, reward=0.0) for verdict in super().judge(episodes)]

    assert len(drawn(Known(), [THROW]).items) == 10
    with pytest.raises(DomainError, match=r"refused: \{'free': "):
        drawn(Generous(), [THROW])


def test_the_same_prompt_with_another_secret_is_the_same_question():
    class Twins(FakeDomain):
        """Each prompt comes with three secrets and so with three signatures."""

        def tasks(self, rng, cells):
            return [
                replace(t, id="", signature=f"{t.signature} {k}", secret={**t.secret, "kind": k})
                for t in super().tasks(rng, cells)
                for k in [int(rng.integers(3))]
            ]

    exam = drawn(Twins(40), items=20)
    asked = [(item.mode, item.prompt) for item in exam.items]
    assert len(asked) == len(set(asked)) > 20
    found, _ = fresh_items(Twins(8), stream(0, "gate"), DOUBLE[:1], 8, known=(), sealed=())
    assert len({item.prompt for item in found}) == len(found) == 8


def test_in_several_turns_the_same_prompt_is_only_a_beginning():
    exam = drawn(Turns(), [THROW])
    assert len(exam.items) == 10
    assert {item.prompt for item in exam.items} == {"throw\n"}


def test_what_is_excluded_is_known_and_never_asked():
    seen = drawn(FakeDomain(60), DOUBLE).signatures
    exam = drawn(FakeDomain(60), DOUBLE, exclude=seen)
    assert not exam.signatures & seen
    assert exam.refused["known"] == len(seen)
    assert exam.items
    assert "known" not in drawn(FakeDomain(60), DOUBLE).refused

    class Everything:
        def __contains__(self, signature):
            return True

    with pytest.raises(DomainError, match=r"refused: \{'known': "):
        drawn(FakeDomain(60), DOUBLE, exclude=Everything())


@settings(max_examples=25, deadline=None)
@given(behaviours=st.integers(4, 400), items=st.integers(1, 40), seed=st.integers(0, 99))
def test_a_small_cell_is_not_used_up(behaviours, items, seed):
    try:
        exam = drawn(FakeDomain(behaviours), DOUBLE[:1], seed, items)
    except DomainError:
        assert behaviours < 12
        return
    # The estimate may be above the truth by its own error, never by much.
    assert len(exam.items) <= max(1, 0.4 * behaviours)
    assert len(exam.items) + exam.missing.get("double/1", 0) == items


def test_a_cell_without_tasks_is_reported_and_not_padded():
    exam = drawn(FakeDomain(coin=0), [*DOUBLE, COIN])
    assert exam.missing == {"coin/1": 10}
    assert len(exam.items) == 20


# ── fresh items, for the gate ────────────────────────────────────────────────────────────────────────────────


def test_fresh_items_are_neither_sealed_nor_known():
    domain = FakeDomain(300)
    known = {task.signature for task in domain.tasks(stream(0, "rules"), DOUBLE * 100)}
    sealed = drawn(domain).signatures
    found, missing = fresh_items(domain, stream(0, "gate"), DOUBLE, 40, known=known, sealed=sealed)
    assert (len(found), missing) == (40, 0)
    assert [item.cell for item in found] == DOUBLE * 20
    signatures = {item.signature for item in found}
    assert len(signatures) == 40
    assert not signatures & (known | sealed)


def test_a_cell_in_which_all_is_known_has_fewer_fresh_items_and_never_a_known_one():
    domain = FakeDomain(double=12)
    known = {f"double {100_000 + at}" for at in range(9)}
    found, missing = fresh_items(domain, stream(0, "gate"), DOUBLE[:1], 8, known=known, sealed=())
    assert {item.signature for item in found} == {f"double {100_000 + at}" for at in range(9, 12)}
    assert missing == 5
    everything = known | {item.signature for item in found}
    assert fresh_items(domain, stream(0, "gate"), DOUBLE[:1], 8, known=everything, sealed=()) == ([], 8)


def test_other_cells_do_not_fill_in_for_one_that_is_short():
    domain = FakeDomain(coin=0)
    cells = [DOUBLE[0], COIN]
    found, missing = fresh_items(domain, stream(0, "gate"), cells, 10, known=(), sealed=())
    assert ([item.cell for item in found], missing) == ([DOUBLE[0]] * 5, 5)


# ── as a value ───────────────────────────────────────────────────────────────────────────────────────────────


def test_json_gives_the_same_exam_and_tells_a_change():
    exam = drawn(cells=[*DOUBLE, COIN])
    data = json.loads(json.dumps(exam.to_json()))
    assert Exam.from_json(data) == exam
    assert Exam.from_json(data).digest == exam.digest
    data["items"][3]["secret"]["answer"] = "0"
    with pytest.raises(RecordError, match="after they were sealed"):
        Exam.from_json(data)


def test_json_keeps_pictures_and_ids():
    shown = (Text(text="what is"), Image(digest="sha256:12"), Ids(ids=(3, 4)))
    exam = Exam(name="x", items=(replace(task("double", 1, 5), prompt=shown, id=""),))
    again = Exam.from_json(json.loads(json.dumps(exam.to_json())))
    assert again == exam
    assert again.items[0].prompt == shown


@pytest.mark.parametrize(
    "change",
    [
        {"secret": {"answer": "0"}},
        {"prompt": "double\n"},
        {"cluster": "x"},
        {"form": "x"},
        {"level": 2},
        {"is_repair": True},
    ],
)
def test_the_digest_covers_items_whole_and_their_order(change):
    one, two = task("double", 1, 5), task("double", 1, 6)
    digest = Exam(name="x", items=(one, two)).digest
    assert digest == Exam(name="y", items=(one, two)).digest
    assert digest != Exam(name="x", items=(two, one)).digest
    assert digest != Exam(name="x", items=(replace(one, **change), two)).digest


def test_an_exam_asks_everything_once():
    one, two = task("double", 1, 5), task("double", 2, 5)
    with pytest.raises(ValueError, match="ask everything once"):
        Exam(name="x", items=(one, two))
    exam = Exam.of("pool", [one, one, two, task("double", 2, 6)])
    assert [item.prompt for item in exam.items] == ["double 1 5\n", "double 2 6\n"]
    assert exam.refused == {"repeated": 2}


def test_a_bare_answer_can_be_judged():
    asked = task("double", 1, 5)
    verdicts = FakeDomain().judge([(asked, answered(asked, "10")), (asked, answered(asked, "11"))])
    assert [verdict.passed for verdict in verdicts] == [True, False]


def test_an_exam_of_real_python_and_fresh_items_for_its_gate():
    cells = [Cell(mode=mode, level=1) for mode in ("deduction", "abduction", "induction")]
    with Sandbox(Limits(wall_s=5.0, cpu_s=5.0), workers=1, require="L0") as box:
        domain = PythonDomain(box)
        exam = draw_sealed(domain, 3, cells, 4)
        shown = domain.demonstrate(exam.items)
        solved = domain.judge(
            [
                (item, answered(item, domain.answer(item.mode, one.completion)))
                for item, one in zip(exam.items, shown, strict=True)
            ]
        )
        known = {task.signature for task in domain.tasks(stream(0, "rules"), cells * 60)}
        fresh, missing = fresh_items(
            domain, stream(0, "gate"), cells, 12, known=known, sealed=exam.signatures
        )
    assert len(exam.items) + sum(exam.missing.values()) == 12
    assert len(exam.items) >= 10
    assert all(verdict.passed for verdict in solved)
    assert Exam.from_json(json.loads(json.dumps(exam.to_json()))) == exam
    assert len(fresh) + missing == 12
    assert len(fresh) >= 8
    assert not {item.signature for item in fresh} & (known | exam.signatures)


def test_a_gate_is_full_where_all_tasks_of_a_cell_show_the_same():
    """Of each cell of level 3 `packing` has one question, and other items that answer it."""
    from autotelic.domains.packing import PackingDomain

    domain = PackingDomain()
    items = gate_items(domain, 0, domain.spec.cells, 32, met=frozenset(), sealed=frozenset())
    assert len({item.signature for item in items}) == len(items) == 32
    few = gate_items(domain, 0, domain.spec.cells[:1], 8, met=frozenset(), sealed=frozenset())
    assert len(few) == 8


def test_other_cells_fill_a_gate_of_which_one_is_short_and_none_is_asked_twice():
    cells = [DOUBLE[0], COIN]
    items = gate_items(FakeDomain(coin=0), 0, cells, 10, met=frozenset(), sealed=frozenset())
    assert [item.cell for item in items] == [DOUBLE[0]] * 10
    assert len({item.signature for item in items}) == 10


def test_a_gate_has_fewer_items_where_the_rules_have_no_more():
    found = gate_items(FakeDomain(double=12), 0, DOUBLE[:1], 50, met=frozenset(), sealed=frozenset())
    assert len({item.signature for item in found}) == len(found) == 12
