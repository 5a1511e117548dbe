"""`MathDomain` behind the seam: what it sets it admits, what it admits it judges, and one value is right."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction

import pytest
from answering import judged, shown
from hypothesis import given
from hypothesis import strategies as st

from autotelic.domains.math import SPECIAL, MathDomain
from autotelic.errors import DomainError
from autotelic.streams import stream
from autotelic.types import Cell, Lineage, Proposal, Rejection, Task

DOMAIN = MathDomain()
NATURAL = MathDomain(style="natural")
CELLS = [Cell(mode=mode, level=level) for level in DOMAIN.spec.levels for mode in DOMAIN.spec.modes]


def _admit(mode: str, level: int, text: str, domain: MathDomain = DOMAIN) -> Task | Rejection:
    (outcome,) = domain.admit([Proposal(text=text, cell=Cell(mode=mode, level=level), lineage=Lineage())])
    return outcome


def _task(mode: str, level: int, text: str) -> Task:
    outcome = _admit(mode, level, text)
    assert isinstance(outcome, Task), outcome
    return outcome


def _reason(task: Task, answer: str) -> str:
    (verdict,) = judged(DOMAIN, [(task, answer)])
    assert verdict.passed == (verdict.reason == "right") == (verdict.reward == 1.0)
    return verdict.reason


@pytest.mark.parametrize("domain", [DOMAIN, NATURAL], ids=["compact", "natural"])
def test_rules_give_a_task_for_every_cell_that_admission_would_take_and_working_solves(
    domain: MathDomain,
) -> None:
    tasks = domain.tasks(stream(0, "rules"), CELLS * 10)
    assert [task.cell for task in tasks] == CELLS * 10
    proposals = [Proposal(text=domain.proposal(t), cell=t.cell, lineage=Lineage()) for t in tasks]
    assert domain.admit(proposals) == tasks
    answers = [(task, domain.answer(task.mode, shown(domain, task))) for task in tasks]
    assert [v.reason for v in judged(domain, answers)] == ["right"] * len(tasks)


def test_rules_depend_on_the_stream_alone() -> None:
    assert DOMAIN.tasks(stream(3, "a"), CELLS) == MathDomain().tasks(stream(3, "a"), CELLS)
    assert DOMAIN.tasks(stream(3, "a"), CELLS) != DOMAIN.tasks(stream(4, "a"), CELLS)


def test_compact_texts_are_exactly_these() -> None:
    solve, invert = _task("solve", 2, "(3+4)*6-5"), _task("invert", 2, "(?3+4)*6-5")
    model = _task("model", 1, "Ann has 7 pens. Ann gets 5 more. How many pens has Ann now?\n7+5")
    assert solve.prompt == "<|solve|>(3+4)*6-5\n"
    assert shown(DOMAIN, solve) == "7*6-5\n42-5\n37"
    assert invert.prompt == "<|invert|>(?+4)*6-5->37\n"
    assert shown(DOMAIN, invert) == "(?+4)*6=37+5\n(?+4)*6=42\n?+4=42/6\n?+4=7\n?=7-4\n3"
    assert model.prompt == "<|model|>Ann has 7 pens. Ann gets 5 more. How many pens has Ann now?\n"
    assert shown(DOMAIN, model) == "7+5"
    assert DOMAIN.ask(invert.cell, [invert]) == "<|propose|>invert 2\n(?3+4)*6-5\n<|task|>"
    assert DOMAIN.proposal(invert) == "(?3+4)*6-5"


def test_natural_texts_are_sentences_with_the_instruction_first_and_answers_are_boxed() -> None:
    task = _admit("solve", 4, "```\n3x+5=20\n```", NATURAL)
    assert isinstance(task, Task)
    assert str(task.prompt).startswith("You work out mathematics exactly.")
    assert str(task.prompt).endswith(
        "alone in \\boxed{}: a whole number or a fraction in lowest terms, several values "
        "with commas between them, or a polynomial multiplied out.\n\nSolve for x: 3x+5=20\n"
    )
    assert shown(NATURAL, task) == "3x=15\n\\boxed{5}"
    assert NATURAL.ask(task.cell, [task]).endswith("\n")
    assert all(special not in text for text in NATURAL.corpus(stream(0, "c"), 60) for special in SPECIAL)
    compact = _task("solve", 4, "3x+5=20")
    assert (task.signature, task.secret) == (compact.signature, compact.secret)
    for completion in ("3x=15\n\\boxed{5}", "```\n3x=15\n5\n```\n", "5"):
        assert NATURAL.answer("solve", completion) == "5"


@pytest.mark.parametrize(
    ("mode", "level", "text", "reason"),
    [
        ("solve", 1, "import os", "syntax"),
        ("solve", 1, "7+5+6", "level"),
        ("solve", 1, "?7+5", "hole"),
        ("solve", 6, "x^2=2", "irrational"),
        ("invert", 1, "7+5", "hole"),
        ("invert", 1, "?7+?5", "hole"),
        ("invert", 1, "?+5", "hole"),
        ("invert", 7, "expand (x-x)*?3+x*x", "constant"),
        ("model", 1, "Ann has 7 pens. Ann gets 5 more. How many pens has Ann now?\n7-5", "mismatch"),
        ("model", 1, "Ann has 7 pens. Ann gets 5 more. How many pens has Ann now?\n12", "mismatch"),
        ("model", 1, "Ann sings. How many pens has Ann now?\n12", "story"),
        ("solve", 2, "9" * 10_000, "size"),
        ("model", 2, "Ann " * 10_000, "size"),
    ],
)
def test_proposals_are_refused_for_a_stable_reason(mode: str, level: int, text: str, reason: str) -> None:
    outcome = _admit(mode, level, text)
    assert isinstance(outcome, Rejection)
    assert outcome.reason == reason


@given(st.sampled_from(CELLS), st.text("0123456789x+-*/%^()?=;\nexpandAn hs.CP!", max_size=40))
def test_whatever_is_proposed_is_refused_or_solvable(cell: Cell, text: str) -> None:
    outcome = _admit(cell.mode, cell.level, text)
    if isinstance(outcome, Task):
        assert _reason(outcome, DOMAIN.answer(cell.mode, shown(DOMAIN, outcome))) == "right"


@given(st.integers(0, 10**6), st.text(max_size=30) | st.text("0123456789x+-*/=,^()", max_size=12))
def test_no_answer_crashes_the_judge_and_only_one_value_is_right(seed: int, answer: str) -> None:
    for task in DOMAIN.tasks(
        stream(seed, "judge"), [Cell(mode="solve", level=2), Cell(mode="invert", level=1)]
    ):
        reason = _reason(task, answer)
        right = Fraction(shown(DOMAIN, task).rpartition("\n")[2])
        assert (reason == "right") <= (right in _numbers(answer))


def _numbers(answer: str) -> set[Fraction]:
    """Every number that a text can be said to hold: what is read as right must be one of them."""
    plain = re.sub(r"(?<=-) +", "", unicodedata.normalize("NFKC", answer)).replace(",", ".")
    found = re.findall(r"-?[0-9]+(?:\.[0-9]+|/[1-9][0-9]*)?", plain)
    return {Fraction(one) for one in found}


@pytest.mark.parametrize(
    ("level", "text", "answer", "reason"),
    [
        (1, "84/12", "7", "right"),
        (1, "84/12", "84/12", "unfinished"),
        (1, "84/12", "14/2", "unfinished"),
        (1, "84/12", "7/1", "unfinished"),
        (1, "84/12", "7.0", "right"),
        (1, "84/12", "07", "format"),
        (1, "84/12", "True", "format"),
        (1, "84/12", "8", "wrong"),
        (1, "84/12", "", "format"),
        (1, "84/12", "7" * 1000, "format"),
        (2, "(3+4)*6-5", "7*6-5", "unfinished"),
        (2, "(3+4)*6-5", "The answer is **37**.", "right"),
        (2, "(3+4)*6-5", "$37$", "right"),
        (3, "1/2+1/6", "2/3", "right"),
        (3, "1/2+1/6", "4/6", "unfinished"),
        (3, "1/2+1/6", "\\frac{2}{3}", "right"),
        (3, "1/2+1/6", "\\dfrac{4}{6}", "unfinished"),
        (3, "1/2+1/6", "0.666667", "wrong"),
        (3, "9/2+1", "5\\frac{1}{2}", "right"),
        (3, "21/2+45", "5\\frac{1}{2}", "wrong"),
        (3, "1/2+1/4", "0.75", "right"),
        (4, "3x+5=20", "x=5", "right"),
        (5, "2x+3y=13;x-y=-1", "y=3, x=2", "right"),
        (5, "2x+3y=13;x-y=-1", "(2,3)", "right"),
        (5, "2x+3y=13;x-y=-1", "3,2", "wrong"),
        (6, "x^2-5x+6=0", "3,2", "right"),
        (6, "x^2-5x+6=0", "x=2 or x=3", "right"),
        (6, "x^2-5x+6=0", "\\{2, 3\\}", "right"),
        (6, "x^2-5x+6=0", "2", "wrong"),
        (6, "x^2-5x+6=0", "2,3,4", "wrong"),
        (7, "expand (x+2)*(x-3)", "-6-x+x^2", "right"),
        (7, "expand (x+2)*(x-3)", "x^{2}-x-6", "right"),
        (7, "expand (x+2)*(x-3)", "(x+2)*(x-3)", "unfinished"),
        (7, "expand (x+2)*(x-3)", "x^2-3x+2x-6", "unfinished"),
    ],
)
def test_answers_are_compared_exactly(level: int, text: str, answer: str, reason: str) -> None:
    assert _reason(_task("solve", level, text), answer) == reason


def test_any_number_that_produces_the_answer_is_right() -> None:
    task = _task("invert", 3, "(17*?5+3)%7")
    assert [_reason(task, answer) for answer in ("5", "12", "?=12", "-2", "6")] == ["right"] * 4 + ["wrong"]
    assert _reason(task, "5.0") == "right"
    assert _reason(task, "5.5") == "format"
    assert _reason(task, "9" * 9) == "format"


def test_signatures_join_the_same_and_part_the_different() -> None:
    assert _task("solve", 1, "7+5").signature == _task("solve", 1, " 5 + 7 ").signature
    assert _task("solve", 4, "2(x-3)+x=9").signature == _task("solve", 4, "9=3x-6").signature
    assert _task("solve", 1, "7+5").signature != _task("invert", 1, "?7+5").signature
    assert _task("invert", 1, "?7+5").signature != _task("invert", 1, "7+?5").signature
    ann = "Ann has 7 pens. Ann gets 5 more. How many pens has Ann now?\n7+5"
    bob = "Bob has 7 nuts. Bob buys 5 more. How many nuts has Bob now?\n7+5"
    assert _task("model", 1, ann).signature == _task("model", 1, bob).signature


def test_the_form_is_the_shape_or_the_kind_of_the_answer() -> None:
    assert _task("solve", 6, "x^2-5x+6=0").form == "roots"
    assert _task("invert", 4, "?3x+5=20").form == "number"
    model = "Ann has 7 pens. Ann gets 5 more. How many pens has Ann now?\n7+5"
    assert _task("model", 1, model).form == "number"


def test_equal_answers_are_spelled_alike_and_unreadable_ones_have_no_vote() -> None:
    assert (
        DOMAIN.same("solve", "0.5")
        == DOMAIN.same("solve", "\\frac{1}{2}")
        == DOMAIN.same("solve", "$1/2$")
        != ""
    )
    assert DOMAIN.same("solve", "x^2-x-6") == DOMAIN.same("solve", "-6-x+x^2") != ""
    assert DOMAIN.same("solve", "2,3") != DOMAIN.same("solve", "3,2")  # a pair says which is x
    assert DOMAIN.same("invert", "?=12") == DOMAIN.same("invert", "12") != DOMAIN.same("invert", "13")
    assert DOMAIN.same("model", "7+5") == DOMAIN.same("model", "5+7") != ""
    assert (
        DOMAIN.same("solve", "who knows") == DOMAIN.same("invert", "1/2") == DOMAIN.same("model", "?:") == ""
    )


def test_the_last_box_or_else_the_last_line_is_judged() -> None:
    assert DOMAIN.answer("solve", "7*6\n42") == "42"
    assert (
        DOMAIN.answer("solve", "so \\boxed{\\frac{1}{2}}, no: \\boxed{\\frac{1}{3}} it is.\nDone")
        == "\\frac{1}{3}"
    )
    assert DOMAIN.answer("solve", "\\boxed{") == "\\boxed{"
    assert DOMAIN.answer("solve", "") == ""
    assert len(DOMAIN.answer("solve", "x" * 1_000_000)) < 10_000


def test_unknown_modes_and_levels_are_named() -> None:
    with pytest.raises(DomainError, match="no mode 'prove'"):
        DOMAIN.tasks(stream(0), [Cell(mode="prove", level=1)])
    with pytest.raises(DomainError, match="no level 9"):
        DOMAIN.ask(Cell(mode="solve", level=9), [])
    with pytest.raises(DomainError, match="1 to 8"):
        MathDomain(levels=(0,))
    with pytest.raises(DomainError, match="compact"):
        MathDomain(style="verse")  # type: ignore[arg-type]
