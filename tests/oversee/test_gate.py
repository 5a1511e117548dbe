"""The gate: a pure function of recorded outcomes."""

from __future__ import annotations

from autotelic.oversee.gate import PairedGate
from autotelic.types import Candidate, Decision


def review(champion: list[bool], candidate: list[bool]) -> Decision:
    report = {"champion": champion, "candidate": candidate}
    return PairedGate(level=0.05).review(
        Candidate(weights_digest="new", parent="old", generation=3, report=report)
    )


def test_a_candidate_that_loses_clearly_is_rejected() -> None:
    decision = review([True] * 20, [False] * 10 + [True] * 10)
    assert decision.verdict == "reject"
    assert decision.inputs["losses"] == 10


def test_a_candidate_that_is_not_shown_to_be_worse_is_promoted() -> None:
    # Three lost and none won: p = 1/8, which is no evidence at 5 %.
    assert review([True] * 20, [False] * 3 + [True] * 17).verdict == "promote"
    assert review([False] * 20, [True] * 20).verdict == "promote"


def test_a_decision_can_be_replayed_and_says_what_it_was_made_from() -> None:
    first, second = (review([True, False], [False, True]) for _ in range(2))
    assert first == second
    assert {"candidate", "champion", "items", "wins", "losses", "p_worse", "level"} <= set(first.inputs)
