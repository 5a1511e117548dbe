"""The problem language: canonical text, bounds, and no way to crash or hang the reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotelic.domains.math.language import Call, Hole, Num, Op, ProblemError, Var, parse, text
from autotelic.domains.math.problem import check, level_of, normal, read, skeleton, solve
from autotelic.domains.math.word_problems import read_word_problem

T = TypeVar("T")
ALPHABET = "0123456789xyCP?+-*/%^!(), ;=\nexpandrivt√²{}"
LEAVES = st.one_of(
    st.integers(-99, 99).map(Num), st.sampled_from([Var("x"), Var("y"), Hole(), Hole(7), Hole(0)])
)


def _grow(children: st.SearchStrategy) -> st.SearchStrategy:  # type: ignore[type-arg]
    return st.one_of(
        st.builds(Op, st.sampled_from("+-*/%"), children, children),
        st.builds(lambda base, power: Op("^", base, Num(power)), children, st.integers(0, 6)),
        st.builds(lambda n, k: Call("C", (n, k)), children, children),
        st.builds(lambda n: Call("!", (n,)), children),
    )


TREES = st.recursive(LEAVES, _grow, max_leaves=8)


@given(TREES)
def test_canonical_text_reads_back_as_the_same_tree(tree: Num) -> None:
    if len(text(tree)) <= 160:
        assert parse(text(tree)) == tree


@given(st.text(ALPHABET, max_size=60) | st.text(max_size=30))
def test_any_text_is_read_or_refused_in_one_word(source: str) -> None:
    for reader in (read, read_word_problem):
        problem, reason = _attempt(lambda reader=reader: reader(source))  # type: ignore[misc]
        assert reason in {"", "syntax", "size", "story"}
        if problem is not None:
            assert read(problem.text) == problem
            assert _attempt(lambda problem=problem: normal(problem) + skeleton(problem))  # type: ignore[misc]
            _, reason = _attempt(lambda problem=problem: check(problem, level_of(problem)))  # type: ignore[misc]
            assert reason == "" or reason.isalpha()


def _attempt(work: Callable[[], T]) -> tuple[T | None, str]:
    """What the work gives, or the word it is refused with; any other error is a defect."""
    try:
        return work(), ""
    except ProblemError as error:
        return None, error.reason


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("(" * 60 + "1" + ")" * 60, "size"),
        ("1" * 50, "size"),
        ("9^9999999", "size"),
        ("9^99", "size"),
        ("2^2^2", "syntax"),
        ("1+" * 500 + "1", "size"),
        ("007", "syntax"),
        ("2?", "syntax"),
        ("3..4", "syntax"),
        ("__import__('os')", "syntax"),
        ("", "syntax"),
        ("1+", "syntax"),
        ("x=1=2", "syntax"),
        ("x=1;x=2;x=3", "syntax"),
        ("٣+1", "syntax"),
    ],
)
def test_what_is_no_problem_is_refused(source: str, reason: str) -> None:
    with pytest.raises(ProblemError) as caught:
        read(source)
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("99999^6", "size"),
        ("(9^6)^6", "size"),
        ("40!", "size"),
        ("C(999,3)", "size"),
        ("1/0", "undefined"),
        ("7%0", "undefined"),
        ("(1/2)%3", "undefined"),
        ("C(3,5)", "undefined"),
        ("x+1", "kind"),
        ("x=x", "many"),
        ("x=x+1", "unsolvable"),
        ("x^2+1=0", "unsolvable"),
        ("x^2=2", "irrational"),
        ("x^3=8", "kind"),
        ("1/x=2", "kind"),
        ("x+y=1;2x+2y=2", "many"),
        ("x+y=1;x+y=2", "unsolvable"),
        ("expand (x+1)^6*(x+1)^6", "size"),
    ],
)
def test_a_problem_without_exactly_one_answer_is_refused(source: str, reason: str) -> None:
    with pytest.raises(ProblemError) as caught:
        solve(read(source))
    assert caught.value.reason == reason


@pytest.mark.parametrize(
    ("source", "level", "answer"),
    [
        ("7+5", 1, "12"),
        ("84/12", 1, "7"),
        ("(3+4)*6-5", 2, "37"),
        ("3/4+1/6", 3, "11/12"),
        ("(17*5+3)%7", 3, "4"),
        ("2(x-3)+x=9", 4, "5"),
        ("3x=16", 4, "16/3"),
        ("2x+3y=13;x-y=-1", 5, "2,3"),
        ("3x^2-5x-2=0", 6, "-1/3,2"),
        ("x^2=6x-9", 6, "3"),
        ("expand (x+2)*(x-3)", 7, "x^2-x-6"),
        ("derive x^3-2x^2", 7, "3x^2-4x"),
        ("at 4 x^2-3x", 7, "4"),
        ("C(7,3)*2!", 8, "70"),
        ("P(5,2)+3!", 8, "26"),
    ],
)
def test_each_sort_of_problem_has_its_level_and_exact_answer(source: str, level: int, answer: str) -> None:
    problem = read(source)
    assert level_of(problem) == level
    assert solve(problem) == answer
    assert problem.text == read(problem.text).text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("7+5", "5+7"),
        ("3*4+2", "2+4*3"),
        ("(3+4)+5", "5+(4+3)"),
        ("9-(4-2)", "2+9-4"),
        ("2(x-3)+x=9", "9=3x-6"),
        ("x+y=10;x-y=4", "4=x-y;y+x=10"),
        ("1/2*3", "3*(1/2)"),
        ("C(7,3)*2", "2*C(7,3)"),
    ],
)
def test_the_same_problem_written_otherwise_is_the_same(one: str, other: str) -> None:
    assert normal(read(one)) == normal(read(other))
    assert solve(read(one)) == solve(read(other))


@pytest.mark.parametrize(("one", "other"), [("7-5", "5-7"), ("8/2", "2/8"), ("7+5", "6+6"), ("?7+5", "7+?5")])
def test_different_problems_stay_different(one: str, other: str) -> None:
    assert normal(read(one)) != normal(read(other))


@pytest.mark.parametrize(
    ("source", "level", "reason"),
    [
        ("7+5", 2, "level"),
        ("700+5", 1, "size"),
        ("99*99", 1, "size"),
        ("7*1", 1, "degenerate"),
        ("7+0", 1, "degenerate"),
        ("(7+5)/1+2", 2, "degenerate"),
        ("3/4", 3, "degenerate"),
        ("x=5", 4, "degenerate"),
        ("expand x^2-x", 7, "degenerate"),
        ("derive 5", 7, "degenerate"),
        ("7", 1, "degenerate"),
        ("x+y=3", 4, "kind"),
    ],
)
def test_what_is_unfit_for_a_level_is_refused(source: str, level: int, reason: str) -> None:
    with pytest.raises(ProblemError) as caught:
        check(read(source), level)
    assert caught.value.reason == reason
