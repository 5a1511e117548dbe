"""The curriculum's arithmetic: shares, whole allocations, what is learned from groups, when levels open."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.propose.curriculum import Curriculum
from autotelic.types import Attempt, Cell, Group, Task, Verdict

MODES = ("deduction", "induction")


def curriculum(**changes: object) -> Curriculum:
    given = {"modes": MODES, "levels": (1, 3), "unlock": 0.5, "retention": 0.1, "explore": 0.1, "leading": 9}
    return Curriculum(**(given | changes))  # type: ignore[arg-type]


def group(cell: Cell, passed: int, failed: int) -> Group:
    task = Task(id="t", domain="d", mode=cell.mode, level=cell.level, prompt="p", secret={}, signature="s")
    verdicts = [Verdict(reward=1.0, passed=True, reason="right")] * passed
    verdicts += [Verdict(reward=0.0, passed=False, reason="wrong")] * failed
    attempts = tuple(Attempt(task_id="t", turns=(), answer="") for _ in verdicts)
    return Group(task=task, attempts=attempts, verdicts=tuple(verdicts))


def test_it_begins_at_the_lowest_level_with_even_shares() -> None:
    shares = curriculum().shares()
    assert shares == pytest.approx({Cell(mode=m, level=1): 0.5 for m in MODES})


@settings(deadline=None)
@given(st.integers(0, 500), st.lists(st.floats(0, 1), min_size=6, max_size=6))
def test_an_allocation_has_the_size_asked_for_and_keeps_to_the_shares(count: int, gains: list[float]) -> None:
    bandit = curriculum(unlock=0.0)
    for standing, gain in zip(bandit.standing.values(), gains, strict=True):
        standing.gain = gain
    cells = Counter(bandit.allocate(count, np.random.default_rng(0)))
    assert cells.total() == count
    for cell, share in bandit.shares().items():
        assert abs(cells[cell] - share * count) < 1 + 1e-9


def test_what_is_half_solved_gets_most_and_what_is_solved_least() -> None:
    bandit = curriculum(levels=(1, 1), modes=("half", "solved", "unsolved"))
    cells = {mode: Cell(mode=mode, level=1) for mode in bandit.modes}
    outcomes = {"half": (4, 4), "solved": (8, 0), "unsolved": (0, 8)}
    bandit.learn([group(cells[mode], *outcome) for mode, outcome in outcomes.items()])
    shares = {cell.mode: share for cell, share in bandit.shares().items()}
    assert shares["half"] > 2 * shares["solved"]
    assert shares["half"] > shares["unsolved"] > 1.5 * shares["solved"]
    # Nothing fades altogether: retention and exploration are spread evenly.
    assert shares["solved"] >= 0.2 / 3


def test_a_modes_next_level_opens_when_enough_of_the_one_before_is_solved() -> None:
    bandit = curriculum()
    one, two = (Cell(mode=m, level=1) for m in MODES)
    assert not bandit.learn([group(one, 3, 5)])
    assert bandit.learn([group(two, 1, 7), group(one, 8, 0)])
    assert bandit.open_to == {one.mode: 2, two.mode: 1}
    assert set(bandit.shares()) == {one, two, Cell(mode=one.mode, level=2)}
    assert not bandit.learn([group(one, 8, 0)])  # level 2 was not tried yet
    assert bandit.learn([group(Cell(mode=one.mode, level=2), 8, 0)])
    assert not bandit.learn([group(Cell(mode=one.mode, level=3), 8, 0)])  # there is no level 4
    assert bandit.open_to == {one.mode: 3, two.mode: 1}


def test_state_is_taken_up_as_it_was_put_down() -> None:
    bandit = curriculum()
    bandit.learn([group(Cell(mode=m, level=1), 8, 0) for m in MODES])
    other = curriculum()
    other.restore(bandit.state())
    assert other.shares() == bandit.shares()
    assert other.open_to == bandit.open_to == dict.fromkeys(MODES, 2)


def test_modes_come_one_after_another_each_with_its_retention_from_the_start() -> None:
    first, second = (Cell(mode=m, level=1) for m in MODES)
    bandit = curriculum(levels=(1, 1), lead=0.4, leading=1)
    assert bandit.shares() == pytest.approx({first: 0.95, second: 0.05})
    bandit.learn([group(first, 1, 7), group(second, 8, 0)])
    assert bandit.shares()[second] == pytest.approx(0.05)
    for _ in range(4):
        bandit.learn([group(first, 4, 4)])
    assert bandit.leading == 2
    assert bandit.shares()[second] > 0.2


def test_shares_are_of_tokens() -> None:
    first, second = (Cell(mode=m, level=1) for m in MODES)
    bandit = curriculum(levels=(1, 1))
    bandit.weigh({first: 20.0})
    assert bandit.shares() == pytest.approx({first: 0.5, second: 0.5})  # a mean and a guess do not compare
    bandit.weigh({second: 60.0})
    assert bandit.shares() == pytest.approx({first: 0.75, second: 0.25})


def test_what_asks_for_no_success_is_open_from_the_start() -> None:
    assert len(curriculum(unlock=0.0, lead=0.0, leading=1).shares()) == 6
