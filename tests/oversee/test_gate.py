"""The gate: a pure function of recorded outcomes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.oversee.gate import PairedGate
from autotelic.types import Candidate, Decision


def review(champion: Sequence[float], candidate: Sequence[float], level: float = 0.05) -> Decision:
    return PairedGate(level=level).review(
        Candidate(
            weights="new",
            champion="old",
            generation=3,
            items=tuple(str(i) for i in range(len(candidate))),
            candidate_outcomes=tuple(map(float, candidate)),
            champion_outcomes=tuple(map(float, champion)),
        )
    )


def test_a_candidate_that_loses_clearly_is_rejected() -> None:
    decision = review([1] * 20, [0] * 10 + [1] * 10)
    assert decision.verdict == "reject"
    assert (decision.wins, decision.losses, decision.level) == (0, 10, 0.05)
    assert decision.p_worse == pytest.approx(2**-10)


def test_a_candidate_that_is_not_shown_to_be_worse_is_promoted() -> None:
    # Three lost and none won: p = 1/8, which is no evidence at 5 %.
    assert review([1] * 20, [0] * 3 + [1] * 17).verdict == "promote"
    assert review([1] * 20, [0] * 3 + [1] * 17, level=0.125).verdict == "reject"
    assert review([0] * 20, [1] * 20).verdict == "promote"


def test_real_outcomes_count_by_their_size() -> None:
    # Six small gains and six large losses: as many wins as losses, and still worse.
    champion, candidate = [0.5] * 6 + [0.9] * 6, [0.51] * 6 + [0.2] * 6
    decision = review(champion, candidate)
    assert (decision.wins, decision.losses, decision.verdict) == (6, 6, "reject")
    assert decision.p_worse == pytest.approx(2**-6)


def test_without_any_item_nothing_speaks_against_the_candidate() -> None:
    decision = review([], [])
    assert (decision.verdict, decision.p_worse) == ("promote", 1.0)


def test_the_reason_says_what_was_compared_and_with_what_result() -> None:
    (reason,) = review([1, 0, 1, 0], [0, 1, 0, 0]).reasons
    assert "4 fresh items" in reason
    assert "won 1 and lost 2" in reason


outcome = st.one_of(st.sampled_from([0.0, 1.0]), st.floats(0, 1))


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(outcome, outcome), max_size=30), st.floats(0.01, 0.3))
def test_a_decision_follows_from_its_p_value_and_can_be_computed_again(
    pairs: list[tuple[float, float]], level: float
) -> None:
    champion, candidate = [old for old, _ in pairs], [new for _, new in pairs]
    decision = review(champion, candidate, level)
    assert decision == review(champion, candidate, level)
    assert (decision.verdict == "reject") == (decision.p_worse <= level)
