"""How long a run goes on that is given more, whatever it ended by."""

from __future__ import annotations

import pytest

from autotelic.budget import Allowance
from autotelic.envelope import BudgetExtended

Spent = tuple[float, float, float]


def extended(
    limits: tuple[float, int, int], spent: Spent, *asked: BudgetExtended, finished: bool = True
) -> Allowance:
    found = Allowance(*limits)
    for more in asked:
        found.extend(found.extension(more, *spent, finished=finished))
    return found


@pytest.mark.parametrize(
    ("limits", "spent"),
    [
        ((850.0, 0, 0), (862.0, 10_000.0, 30.0)),
        ((0.0, 0, 3), (41.0, 10_000.0, 3.0)),
        ((0.0, 3000, 0), (41.0, 3100.0, 7.0)),
        ((850.0, 0, 0), (849.6, 10_000.0, 30.0)),  # it ended between its last generation and its exam
    ],
)
@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (BudgetExtended(seconds=600.0), 0),
        (BudgetExtended(tokens=600), 1),
        (BudgetExtended(generations=600), 2),
    ],
)
def test_a_finished_run_goes_on_for_what_it_is_given(
    limits: tuple[float, int, int], spent: Spent, asked: BudgetExtended, index: int
) -> None:
    allowance = extended(limits, spent, asked)
    assert allowance.progress(*spent) < 0.999
    end = list(spent)
    end[index] += 599
    assert allowance.progress(*end) < 1
    end[index] += 2
    assert allowance.progress(*end) == 1.0


def test_a_limit_that_was_not_reached_still_ends_the_run() -> None:
    allowance = extended((850.0, 0, 3), (100.0, 5.0, 3.0), BudgetExtended(generations=5))
    assert allowance.limit("seconds") == 850.0
    assert allowance.limit("generations") == 8


def test_a_run_without_the_limit_gets_it_from_where_it_stands() -> None:
    """`seconds = 0, generations = 400`, stopped at 15: three seconds are three seconds more, not in all."""
    allowance = extended((0.0, 0, 400), (90.0, 5.0, 15.0), BudgetExtended(seconds=3.0), finished=False)
    assert allowance.limit("seconds") == 93.0
    assert allowance.limit("generations") == 400


def test_a_run_that_was_stopped_gets_it_on_top_of_its_charter() -> None:
    allowance = extended((850.0, 0, 0), (90.0, 5.0, 15.0), BudgetExtended(seconds=600.0), finished=False)
    assert allowance.limit("seconds") == 1450.0


def test_a_lifted_limit_binds_again_when_more_of_it_is_given() -> None:
    allowance = extended((0.0, 0, 3), (41.0, 5.0, 3.0), BudgetExtended(seconds=60.0))
    assert allowance.limit("generations") == 0
    allowance.extend(allowance.extension(BudgetExtended(generations=2), 101.0, 9.0, 11.0, finished=True))
    assert allowance.limit("generations") == 13
    assert allowance.limit("seconds") == 0, "which was reached in its turn"


def test_without_limits_nothing_is_spent() -> None:
    assert Allowance(0.0, 0, 0).progress(1e9, 1e9, 1e9) == 0.0
