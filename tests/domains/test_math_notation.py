"""What the solver of a word problem or of a count is told about the notation of its answer."""

from __future__ import annotations

import pytest

from autotelic.domains.math import MathDomain
from autotelic.types import Cell, Lineage, Proposal, Task

NATURAL = MathDomain(style="natural")


def _prompt(mode: str, level: int, text: str) -> str:
    (task,) = NATURAL.admit([Proposal(text=text, cell=Cell(mode=mode, level=level), lineage=Lineage())])
    assert isinstance(task, Task), task
    return str(task.prompt)


def test_a_solver_of_word_problems_is_told_the_notation_of_counts_and_remainders() -> None:
    asked = _prompt("model", 8, "Ann chooses 3 of 7 pens. In how many ways?\nC(7,3)")
    for notation in ("C(n,k)", "P(n,k)", "n!", "a%b"):
        assert notation in asked


@pytest.mark.parametrize(
    ("level", "problem", "says"),
    [
        (8, "C(7,3)*2", "(C(n,k) is the number of ways to choose k of n)"),
        (8, "P(7,3)-1", "(P(n,k) is the number of ways to line up k of n)"),
        (3, "84%9", "(a%b is the remainder of a divided by b)"),
        (8, "C(7,3)+P(4,2)", "choose k of n; P(n,k) is"),
    ],
)
def test_a_question_explains_the_signs_that_it_uses(level: int, problem: str, says: str) -> None:
    assert says in _prompt("solve", level, problem)
    assert says not in _prompt("solve", 1, "7+5")
