"""Working: every line true, the last the answer; holes undone; word problems that say one thing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autotelic.domains.math.holes import check_hole, cover, produces, unhiding
from autotelic.domains.math.language import ProblemError
from autotelic.domains.math.problem import read, solve
from autotelic.domains.math.rules import hide, problem_text
from autotelic.domains.math.word_problems import SENTENCES, compare, numbers_in, read_word_problem
from autotelic.domains.math.word_rules import word_problem_text
from autotelic.domains.math.working import working
from autotelic.streams import stream


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("(3+4)*6-5", ["7*6-5", "42-5", "37"]),
        ("47+38", ["47+30+8", "77+8", "85"]),
        ("4*(85-38)", ["4*(85-30-8)", "4*(55-8)", "4*47", "188"]),
        ("1/2+1/6", ["3/6+1/6", "4/6", "2/3"]),
        ("2-3/4", ["8/4-3/4", "5/4"]),
        ("(2/3)/(4/9)", ["2/3*(9/4)", "18/12", "3/2"]),
        ("2(x-3)+x=9", ["3x-6=9", "3x=15", "5"]),
        ("x+y=10;x-y=4", ["2y=6", "y=3", "x+3=10", "x=7", "7,3"]),
        ("x^2-5x+6=0", ["25-24", "1", "(5-1)/2,(5+1)/2", "2,3"]),
        ("expand (x+2)*(x-3)", ["x^2-3x+2x-6", "x^2-x-6"]),
        ("C(7,3)", ["7*6*5/(3*2)", "42*5/(3*2)", "210/(3*2)", "210/6", "35"]),
    ],
)
def test_working_does_one_operation_a_line(source: str, lines: list[str]) -> None:
    assert working(read(source)) == lines


@given(st.integers(0, 10**6), st.sampled_from([1, 2, 3, 8]))
def test_every_line_of_arithmetic_has_the_value_of_the_problem(seed: int, level: int) -> None:
    problem = read(problem_text(stream(seed, "line"), level))
    assert {solve(read(line)) for line in working(problem)} == {solve(problem)}


@given(st.integers(0, 10**6), st.integers(1, 8))
def test_undoing_finds_a_number_that_produces_the_answer(seed: int, level: int) -> None:
    rng = stream(seed, "hole")
    try:
        problem = hide(rng, read(problem_text(rng, level)))
        answer = solve(problem)
        check_hole(problem, answer)
    except ProblemError:
        return
    lines = unhiding(problem, answer)
    assert produces(problem, int(lines[-1]), answer)
    assert "??" not in cover(problem).text
    for line in lines[:-1]:
        assert line.count("?") == 1


def test_a_hole_that_any_number_fills_is_refused() -> None:
    problem = read("(?3-3)*0")
    with pytest.raises(ProblemError, match="constant"):
        check_hole(problem, "0")


@given(st.integers(0, 10**6), st.integers(1, 8))
def test_word_problems_of_the_rules_say_what_their_problem_says(seed: int, level: int) -> None:
    story = word_problem_text(stream(seed, "story"), level)
    problem = read_word_problem(story)
    assert compare(problem, read(problem.text), numbers_in(story)) == "right"


def test_every_form_of_sentence_is_told_by_the_rules() -> None:
    texts = " ".join(
        word_problem_text(stream(n, "forms"), level) for n in range(300) for level in range(1, 9)
    )
    for form in SENTENCES:
        words = [part.split("}")[-1] for part in form.text.split("{")]
        assert all(word in texts for word in words), form.text


@pytest.mark.parametrize(
    ("story", "model", "verdict"),
    [
        ("Ann has 3 boxes of 4 pens. Ann loses 5. How many pens has Ann now?", "4*3-5", "right"),
        ("Ann has 3 boxes of 4 pens. Ann loses 5. How many pens has Ann now?", "7", "numbers"),
        ("Ann has 3 boxes of 4 pens. Ann loses 5. How many pens has Ann now?", "3+4", "numbers"),
        ("Ann has 3 boxes of 4 pens. Ann loses 5. How many pens has Ann now?", "3*4+5", "wrong"),
        ("Bob has some cups. Bob buys 7 more. Now Bob has 20. How many at first?", "20-7=x", "right"),
        ("Bob has some cups. Bob buys 7 more. Now Bob has 20. How many at first?", "x=13", "numbers"),
        ("Ann and Bob have 20 pens. Ann has 4 more than Bob. How many has each?", "x=y+4;y=20-x", "right"),
        ("Ann and Bob have 20 pens. Ann has 4 more than Bob. How many has each?", "x=12;y=8", "numbers"),
        ("Ann chooses 3 of 7 pens. In how many ways?", "7!/(3!*(7-3)!)", "right"),
        ("Ann chooses 3 of 7 pens. In how many ways?", "35", "numbers"),
        ("A square has the side x+3. What is its area?", "x^2+6x+9", "right"),
        (
            "Ann has 24 pens. Ann keeps one of 3 equal parts. How many are left over from boxes of 5?",
            "3",
            "numbers",
        ),
    ],
)
def test_a_model_must_say_what_the_text_says_whatever_its_numbers(
    story: str, model: str, verdict: str
) -> None:
    assert compare(read_word_problem(story), read(model), numbers_in(story)) == verdict


@pytest.mark.parametrize(
    "story",
    [
        "Ann has 4 pens. Bob gets 3 more. How many pens has Ann now?",
        "Ann has 4 pens. Ann loses 5. How many pens has Ann now?",
        "Ann has 5 pens. Ann keeps one of 2 equal parts. How many pens has Ann now?",
        "Ann has 4 pens. Ann has 4 pens. How many pens has Ann now?",
        "Ann gets 3 more. How many pens has Ann now?",
        "Ann has 4 pens. How many has each?",
        "Ann has 4 pens.",
        "How many has each?",
        "Ann has 4 pens. How many pens has Ann now? Ann gets 3 more.",
        "Ann has 4 pens. Ann eats 3. How many pens has Ann now?",
        "Ann has 4 pens. " + "Ann gets 3 more. " * 10 + "How many pens has Ann now?",
    ],
)
def test_a_text_that_says_nothing_definite_is_refused(story: str) -> None:
    with pytest.raises(ProblemError, match=r"story|syntax"):
        read_word_problem(story)
