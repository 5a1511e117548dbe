"""Certificates: e-values, the alpha of a run, and decisions that can be computed again."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.errors import OversightError
from autotelic.oversee.certify import (
    FRACTIONS,
    AlphaPlan,
    CertificatePlan,
    Certifier,
    GateRuling,
    PairedItem,
    e_value,
    log_e_value,
    program_differences,
    replay_gates,
)
from autotelic.statistics import binomial_tail
from autotelic.streams import stream


def item(n: int, champion: Sequence[float], candidate: Sequence[float], program: str = "") -> PairedItem:
    return PairedItem(
        item=f"i{n}", program=program or f"p{n}", champion=tuple(champion), candidate=tuple(candidate)
    )


def evidence(wins: int, losses: int, ties: int = 0) -> list[PairedItem]:
    """Items of one answer each."""
    outcomes = [(0, 1)] * wins + [(1, 0)] * losses + [(1, 1)] * ties
    return [item(n, [old], [new]) for n, (old, new) in enumerate(outcomes)]


def certifier(items: int, gates: int = 7, **other: Any) -> Certifier:
    return Certifier(CertificatePlan(gates=gates, items=items, answers=1, **other))


difference = st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-1, 1))


@given(st.lists(difference, max_size=25))
def test_the_e_value_is_the_mean_over_fractions_of_products(differences: list[float]) -> None:
    expected = np.mean([math.prod(1 + fraction * d for d in differences) for fraction in FRACTIONS])
    assert e_value(differences) == pytest.approx(expected, rel=1e-9)


def test_golden_numbers() -> None:
    assert e_value([]) == 1
    # 9 wins: the mean of 1.1^9, 1.2^9, 1.35^9, 1.5^9 and 1.7^9, in exact fractions.
    assert e_value([1.0] * 9) == pytest.approx(35.888541801, rel=1e-8)
    assert e_value([1.0] * 9 + [-1.0] * 3) == pytest.approx(3.291647748, rel=1e-8)


def test_where_neither_is_better_the_e_value_has_mean_1() -> None:
    # All 3^6 outcomes of six items of mean zero and unequal sizes, with their probabilities.
    chance = {-0.5: 0.4, 0.0: 0.4, 1.0: 0.2}
    mean = sum(math.prod(chance[d] for d in s) * e_value(s) for s in product(chance, repeat=6))
    assert mean == pytest.approx(1, abs=1e-12)


def test_a_null_gate_certifies_no_more_often_than_alpha() -> None:
    # By Markov the chance is at most .05 a gate, so more than 149 of 2,000 come with a chance below 1e-5.
    assert binomial_tail(150, 2_000, 0.05) < 1e-5
    rng = stream(0, "test_certify", "null")
    chance_RN = rng.beta(0.4, 0.3, (2_000, 200))
    difference_RN = (rng.binomial(2, chance_RN) - rng.binomial(2, chance_RN)) / 2
    for sign in (1, -1):
        assert (log_e_value(sign * difference_RN) >= math.log(20)).sum() <= 149


@given(st.lists(difference, max_size=20))
def test_being_better_and_being_worse_are_never_both_shown(differences: list[float]) -> None:
    assert min(e_value(differences), e_value([-d for d in differences])) <= 1 + 1e-9


def test_items_of_one_program_are_one_bet() -> None:
    items = [
        item(0, [0, 0], [1, 1], "a"),
        item(1, [0, 1], [1, 1], "a"),
        item(2, [1, 1], [1, 0], "b"),
    ]
    assert program_differences(items) == [0.75, -0.5]
    # Many copies of one program's item say no more than one of them.
    copies = [item(n, [0], [1], "a") for n in range(50)]
    assert e_value(program_differences(copies)) == e_value([1.0])


def test_the_order_of_items_decides_nothing() -> None:
    items = evidence(12, 5, 3)
    assert certifier(20).review(items) == certifier(20).review(items[::-1])


def test_a_promising_round_is_followed_by_others_until_they_decide() -> None:
    def more(wins: int, losses: int, number: int) -> list[PairedItem]:
        outcomes = [(0, 1)] * wins + [(1, 0)] * losses + [(1, 1)] * (40 - wins - losses)
        return [item(100 * number + n, [old], [new]) for n, (old, new) in enumerate(outcomes)]

    first = more(9, 2, 0)
    judge = certifier(40)
    assert 2 <= e_value(program_differences(first)) < 140
    assert judge.goes_on(first)
    assert not judge.goes_on(more(6, 5, 0)), "says too little to be worth another round"
    both = first + more(12, 1, 1)
    assert not judge.goes_on(both), "that is enough"
    ruling = judge.review(both)
    assert (ruling.outcome, ruling.items, judge.better.used) == ("certify", 80, 1)
    with pytest.raises(OversightError, match="an earlier round had decided"):
        certifier(40).review(both + more(3, 3, 2))
    with pytest.raises(OversightError, match="an earlier round had decided"):
        certifier(40).review(more(6, 5, 0) + more(12, 1, 1))
    three = first + more(4, 3, 1) + more(6, 3, 2)
    assert certifier(40).goes_on(three[:80])
    assert not certifier(40).goes_on(three), "three rounds are all"
    assert certifier(40).review(three).outcome == "train on"
    assert certifier(40).review(first).outcome == "train on", "too few other programs: what is there decides"


def test_looking_at_a_null_candidate_after_each_round_certifies_it_no_more_often_than_alpha() -> None:
    # An e-value may be looked at whenever one likes. More than 149 of 2,000 come with a chance below 1e-5.
    assert binomial_tail(150, 2_000, 0.05) < 1e-5
    rng = stream(0, "test_certify", "rounds")
    chance_RN = rng.beta(0.4, 0.3, (2_000, 120))
    difference_RN = (rng.binomial(2, chance_RN) - rng.binomial(2, chance_RN)) / 2
    log_3R = np.stack([log_e_value(difference_RN[:, :end]) for end in (40, 80, 120)])
    assert (log_3R.max(axis=0) >= math.log(20)).sum() <= 149


def test_a_clear_gain_is_certified_a_clear_loss_rolled_back_and_all_else_trains_on() -> None:
    for wins, losses, outcome in ((30, 2, "certify"), (2, 30, "roll back"), (17, 15, "train on")):
        ruling = certifier(200).review(evidence(wins, losses, 200 - wins - losses))
        assert ruling.outcome == outcome
        assert ruling.gain == pytest.approx((wins - losses) / 200)
        assert f"{100 * ruling.gain:+.1f} points" in ruling.reason
        assert ("roll" in outcome) == ("worse" in ruling.reason)


def test_the_threshold_of_a_gate_is_that_of_its_share_of_alpha() -> None:
    # 14 wins and 2 losses come to evidence between 1/.05 = 20 and 7/.05 = 140.
    items = evidence(14, 2, 4)
    assert 20 < e_value(program_differences(items)) < 140
    assert certifier(20, gates=1).review(items).outcome == "certify"
    assert certifier(20, gates=7).review(items).outcome == "train on"
    losses = evidence(2, 14, 4)
    assert certifier(20, gates=1).review(losses).outcome == "roll back"
    assert certifier(20, gates=7).review(losses).outcome == "train on"


def test_the_alpha_of_a_certificate_comes_back_to_the_next_gate() -> None:
    found = certifier(40, gates=10)
    levels = []
    for wins in (40, 40, 0, 40):
        levels.append(found.review(evidence(wins, 0, 40 - wins)).alpha_better)
    assert levels == pytest.approx([0.005, 0.01, 0.015, 0.005])
    # No gate rolled back, so that its alpha is the fresh share of each.
    assert found.worse.level == pytest.approx(0.005)


def test_after_the_planned_gates_nothing_is_certified_but_what_comes_back() -> None:
    found = certifier(40, gates=2)
    for _ in range(2):
        assert found.review(evidence(0, 0, 40)).outcome == "train on"
    ruling = found.review(evidence(40, 0))
    assert (ruling.outcome, ruling.alpha_better) == ("train on", 0)
    assert "used up" in ruling.reason
    lucky = certifier(40, gates=2)
    assert [lucky.review(evidence(40, 0)).outcome for _ in range(3)] == ["certify"] * 3
    assert lucky.better.level == pytest.approx(0.05)


@given(st.lists(st.booleans(), min_size=1, max_size=60), st.integers(1, 20))
def test_no_more_alpha_is_ever_at_stake_than_the_run_has(rejected: list[bool], gates: int) -> None:
    # Online fallback: what is at stake without a rejection adds up to alpha; with one, the stake moves on.
    plan, kept = AlphaPlan(alpha=0.05, gates=gates), 0.0
    for reject in rejected:
        assert plan.level <= 0.05 * (1 + 1e-9)
        kept += 0.0 if reject else plan.level
        plan = plan.after(rejected=reject)
        assert kept + plan.carried <= 0.05 * (1 + 1e-9)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 10), st.integers(0, 10)), min_size=1, max_size=8), st.data())
def test_a_resume_from_json_and_a_replay_come_to_the_same(
    counts: list[tuple[int, int]], data: st.DataObject
) -> None:
    straight, resumed = certifier(20), certifier(20)
    cut = data.draw(st.integers(0, len(counts) - 1))
    gates = []
    for n, (wins, losses) in enumerate(counts):
        items = evidence(wins, losses, 20 - wins - losses)
        if n == cut:
            resumed = Certifier.resume(resumed.plan, json.loads(json.dumps(resumed.state())))
        ruling = straight.review(items)
        assert ruling == resumed.review(items)
        gates.append((items, ruling))
    assert replay_gates(straight.plan, gates).state() == straight.state() == resumed.state()


def test_a_replay_finds_every_changed_number_outcome_and_reason() -> None:
    plan = CertificatePlan(gates=7, items=20, answers=1)
    items = evidence(8, 4, 8)
    ruling = Certifier(plan).review(items)
    changes: list[dict[str, Any]] = [
        {"outcome": "certify"},
        {"gain": 0.3},
        {"e_better": 200.0},
        {"e_worse": 200.0},
        {"alpha_better": 0.05},
        {"alpha_worse": 0.05},
        {"programs": 19},
        {"items": 19},
        {"gate": 2},
        {"reason": "trust me"},
    ]
    for change in changes:
        with pytest.raises(OversightError, match="computed again"):
            replay_gates(plan, [(items, replace(ruling, **change))])
    # Nor can an outcome of an item be changed.
    with pytest.raises(OversightError, match="computed again"):
        replay_gates(plan, [(evidence(9, 3, 8), ruling)])


def test_another_machine_may_differ_in_the_last_bits() -> None:
    plan = CertificatePlan(gates=7, items=20, answers=1)
    items = evidence(8, 4, 8)
    ruling: GateRuling = Certifier(plan).review(items)
    nearly = replace(ruling, e_better=math.nextafter(ruling.e_better, 9.0))
    assert replay_gates(plan, [(items, nearly)]).better.used == 1


@pytest.mark.parametrize("bad", [math.nan, 1.5, -0.1, None, "1", math.inf])
def test_an_outcome_that_is_none_is_refused_and_uses_nothing_up(bad: Any) -> None:
    found = certifier(2)
    with pytest.raises(OversightError, match="outcome of item i1"):
        found.review([item(0, [0], [1]), item(1, [0], [bad])])
    assert found.better.used == 0


def test_evidence_that_is_not_what_was_planned_is_refused() -> None:
    found = Certifier(CertificatePlan(gates=7, items=2, answers=2))
    whole = [item(0, [0, 1], [1, 1]), item(1, [0, 0], [0, 1])]
    for items, match in (
        (whole[:1], "1 items at a gate of 2"),
        ([whole[0], whole[0]], "twice"),
        ([whole[0], item(1, [0], [1])], "1 answers to item i1"),
        ([whole[0], item(1, [0], [1, 1])], "2 answers of the candidate and 1 of the champion"),
        ([whole[0], item(1, [], [])], "0 answers"),
    ):
        with pytest.raises(OversightError, match=match):
            found.review(items)
    assert found.better.used == found.worse.used == 0
    assert found.review(whole).gate == 1


@pytest.mark.parametrize(
    "bad",
    [
        {"gates": 0},
        {"gates": 1.5},
        {"items": 0},
        {"answers": 0},
        {"items": "200"},
        {"alpha": 0.0},
        {"alpha": math.nan},
        {"alpha_roll_back": 1.0},
    ],
)
def test_a_plan_that_cannot_be_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(OversightError, match="give"):
        CertificatePlan(**({"gates": 7} | bad))


def test_a_state_of_another_plan_or_a_damaged_one_is_refused() -> None:
    found = certifier(20)
    found.review(evidence(20, 0))
    state = found.state()
    with pytest.raises(OversightError, match="another plan"):
        Certifier.resume(replace(found.plan, gates=100), state)
    better = state["better"]
    for damage in (
        {"better": better | {"carried": 0.04, "alpha": 0.5}},
        {"better": better | {"gates": 1}},
        {"better": better | {"used": 0}},
        {"better": better | {"used": -1}},
        {"better": better | {"carried": math.nan}},
        {"better": better | {"carried": 0.2}},
        {"better": None},
        {"worse": {}},
        {"format": 99},
    ):
        with pytest.raises(OversightError):
            Certifier.resume(found.plan, state | damage)
