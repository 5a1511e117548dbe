"""The drift alarms: what they are worth is proven for the null, so the tests ask for the proof's conditions."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autotelic.errors import OversightError
from autotelic.oversee import drift
from autotelic.oversee.drift import FRACTIONS, DriftMonitor, DriftPlan, Look, delta0_of_pilot, replay
from autotelic.statistics import binomial_tail
from autotelic.streams import stream

PLAN = DriftPlan(delta0=0.08, budget=10_000)


def run(
    gates: list[list[float]], plan: DriftPlan = PLAN, in_use: bool = True
) -> tuple[DriftMonitor, list[list[Look]]]:
    monitor, looks = DriftMonitor(plan), []
    for number, differences in enumerate(gates):
        monitor.open_items([f"{number}.{n}" for n in range(len(differences))], in_use=in_use)
        looks.append(monitor.close_items(differences))
    return monitor, looks


def by_definition(gates: list[list[float]], delta0: float) -> tuple[float, float]:
    """Both processes as sums over starts of products of factors, as the papers define them."""
    flat = [(gate, d) for gate, differences in enumerate(gates) for d in differences]
    lifetime = 1 / math.log2(len(gates) + 2)
    roberts = 0.0
    for fraction in FRACTIONS:
        factor = [1 + fraction * (d - delta0) for _, d in flat]
        for gate in range(len(gates)):
            weight = 1 / math.log2(gate + 2) - 1 / math.log2(gate + 3)
            lifetime += weight * math.prod(f for (g, _), f in zip(flat, factor, strict=True) if g >= gate) / 5
        roberts += sum(math.prod(factor[start:]) for start in range(len(factor))) / 5
    return lifetime, roberts


difference = st.one_of(st.sampled_from([-1.0, 0.0, 1.0]), st.floats(-1, 1))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(difference, min_size=1, max_size=6), min_size=1, max_size=5), st.floats(0, 0.2))
def test_both_processes_are_what_their_definitions_say(gates: list[list[float]], delta0: float) -> None:
    monitor, _ = run(gates, replace(PLAN, delta0=delta0))
    lifetime, roberts = by_definition(gates, delta0)
    assert monitor.lifetime == pytest.approx(lifetime, rel=1e-12)
    assert monitor.roberts == pytest.approx(roberts, rel=1e-12)


def test_golden_numbers() -> None:
    monitor, looks = run([[1.0, 0.0, -1.0, 1.0], [0.25, 1.0, 1.0]])
    assert monitor.lifetime == pytest.approx(1.4796922071929868, rel=1e-12)
    assert monitor.roberts == pytest.approx(14.001934769133898, rel=1e-12)
    assert [look.number for look in looks[1]] == [5, 6, 7]


def test_under_the_null_the_lifetime_process_is_a_martingale_that_starts_at_1() -> None:
    # All 729 sequences of two gates of three items, of mean exactly delta0, with their probabilities.
    chance = {-1.0: 0.1, 0.0: 0.72, 1.0: 0.18}
    lifetime, roberts = 0.0, 0.0
    for sequence in product(chance, repeat=6):
        weight = math.prod(chance[d] for d in sequence)
        monitor, _ = run([list(sequence[:3]), list(sequence[3:])])
        lifetime += weight * monitor.lifetime
        roberts += weight * monitor.roberts
    assert lifetime == pytest.approx(1, abs=1e-12)
    assert roberts == pytest.approx(6, abs=1e-12)


def test_in_a_long_null_the_alarms_are_no_more_than_the_bound_allows() -> None:
    # Level 3 alarms with a chance of at most .01 a run, so more than 17 of 500 come with a chance of 2e-6.
    runs, alarms, number = 500, np.zeros(500, dtype=bool), 0
    assert binomial_tail(18, runs, drift.LIFETIME_ALPHA) < 1e-5
    rng = stream(0, "test_drift", "null")
    wealth = np.zeros((runs, len(FRACTIONS)))
    for gate in range(1, 21):
        wealth = drift.start_bet(wealth, gate)
        u = rng.random((runs, 200))
        factor = drift.factors(np.where(u < 0.05, -1.0, np.where(u < 0.18, 1.0, 0.0)), 0.08)
        for n in range(200):
            number += 1
            wealth = drift.follow_bet(wealth, factor[:, n])
            alarms |= drift.lifetime_value(wealth, gate) >= 100
    assert number == 4_000
    assert alarms.sum() <= 17


def test_a_drift_is_found_by_both_levels_and_the_early_one_is_first() -> None:
    rng = stream(0, "test_drift", "drift")
    monitor = DriftMonitor(PLAN)
    for gate in range(5):
        gap = 0.05 if gate < 2 else 0.40
        u = rng.random(200)
        monitor.open_items([f"{gate}.{n}" for n in range(200)], in_use=True)
        monitor.close_items(np.where(u < 0.05, -1.0, np.where(u < 0.1 + gap, 1.0, 0.0)).tolist())
    assert 400 < monitor.early_alarm < monitor.lifetime_alarm < 700
    assert monitor.level == 3


def test_an_alarm_stays_when_the_evidence_falls_again() -> None:
    monitor, _ = run([[1.0] * 16])
    assert monitor.level == 3
    alarm = monitor.lifetime_alarm
    monitor.open_items([f"later {n}" for n in range(100)], in_use=True)
    looks = monitor.close_items([-1.0] * 100)
    assert looks[-1].lifetime < 1
    assert looks[-1].level == 3
    assert monitor.lifetime_alarm == alarm


def test_a_release_starts_level_2_anew_and_not_level_3() -> None:
    monitor, _ = run([[0.5] * 45], PLAN)
    assert monitor.early_alarm > 0
    before = monitor.lifetime
    monitor.release()
    assert (monitor.roberts, monitor.early_alarm, monitor.lifetime) == (0.0, 0, before)
    fresh = DriftMonitor(replace(PLAN, alpha=1e-200))
    fresh.open_items(["a"] + [str(n) for n in range(99)], in_use=True)
    fresh.close_items([1.0] * 100)
    assert fresh.level == 2
    fresh.release()
    assert fresh.level == 0


def test_nothing_counts_while_the_proxy_is_not_in_use_but_all_is_paid() -> None:
    monitor, (looks,) = run([[1.0] * 50], in_use=False)
    assert (monitor.lifetime, monitor.roberts, monitor.gate, monitor.level) == (1.0, 0.0, 0, 0)
    assert (monitor.spent, monitor.counted, monitor.left) == (50, 0, PLAN.budget - 50)
    assert not any(look.counted for look in looks)


def test_sealed_items_are_a_budget() -> None:
    monitor = DriftMonitor(DriftPlan(delta0=0.08, budget=3))
    monitor.open_items(["a", "b"], in_use=True)
    monitor.close_items([0.0, 0.0])
    with pytest.raises(OversightError, match="2 sealed items asked for and 1 of 3 left"):
        monitor.open_items(["c", "d"], in_use=True)
    assert (monitor.spent, monitor.gate) == (2, 1)


def test_an_item_is_fresh_once() -> None:
    monitor, _ = run([[0.0, 0.0]])
    for items in (["0.1"], ["new", "new"]):
        with pytest.raises(OversightError, match="opened before"):
            monitor.open_items(items, in_use=True)
    # Nothing can be looked at twice in hope of a better result: what is open is closed first.
    monitor.open_items(["other"], in_use=True)
    with pytest.raises(OversightError, match="no result"):
        monitor.open_items(["another"], in_use=True)


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf, 1.0001, -1.5, None, "0.1", True, 1j, [0.1]])
def test_what_is_no_difference_is_refused_and_counts_nothing(bad: Any) -> None:
    monitor = DriftMonitor(PLAN)
    monitor.open_items(["a", "b"], in_use=True)
    before = monitor.state()
    with pytest.raises(OversightError, match="sealed item b"):
        monitor.close_items([0.1, bad])
    assert monitor.state() == before
    assert len(monitor.close_items([0.1, 0.2])) == 2


def test_results_without_items_and_items_without_results_are_refused() -> None:
    monitor = DriftMonitor(PLAN)
    with pytest.raises(OversightError, match="no sealed items are open"):
        monitor.close_items([0.1])
    monitor.open_items(["a", "b"], in_use=True)
    with pytest.raises(OversightError, match="1 differences for 2"):
        monitor.close_items([0.1])
    for items in ("ab", [], ["x", ""], [None]):
        with pytest.raises(OversightError, match="without a name"):
            DriftMonitor(PLAN).open_items(items, in_use=True)  # type: ignore[arg-type]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.lists(difference, min_size=1, max_size=5), st.booleans()), min_size=1, max_size=6),
    st.data(),
)
def test_a_resume_from_json_goes_on_as_if_nothing_had_happened(
    gates: list[tuple[list[float], bool]], data: st.DataObject
) -> None:
    straight, resumed = DriftMonitor(PLAN), DriftMonitor(PLAN)
    cut = data.draw(st.integers(0, len(gates) - 1))
    for number, (differences, in_use) in enumerate(gates):
        names = [f"{number}.{n}" for n in range(len(differences))]
        for monitor in (straight, resumed):
            monitor.open_items(names, in_use=in_use)
        if number == cut:  # with items open: they stay open and paid
            resumed = DriftMonitor.resume(PLAN, json.loads(json.dumps(resumed.state())))
        assert straight.close_items(differences) == resumed.close_items(differences)
    assert straight.state() == resumed.state()


def test_a_state_of_another_plan_or_a_damaged_one_is_refused() -> None:
    monitor, _ = run([[0.5, 0.5]])
    state = monitor.state()
    for plan in (replace(PLAN, delta0=0.1), replace(PLAN, budget=20_000), replace(PLAN, alpha=0.05)):
        with pytest.raises(OversightError, match="another plan"):
            DriftMonitor.resume(plan, state)
    damages: list[dict[str, Any]] = [
        {"spent": -1},
        {"spent": 1},
        {"counted": 3},
        {"seen": []},
        {"lifetime": [1.0]},
        {"lifetime": [math.nan] * 5},
        {"roberts": [-1.0] * 5},
        {"gate": True},
        {"pending": ["never opened"]},
        {"lifetime_alarm": 7},
        {"roberts": None},
    ]
    for damage in damages:
        with pytest.raises(OversightError, match="drift state"):
            DriftMonitor.resume(PLAN, state | damage)
    with pytest.raises(OversightError, match="damaged"):
        DriftMonitor.resume(PLAN, {key: value for key, value in state.items() if key != "seen"})


def test_a_replay_finds_every_changed_number() -> None:
    _, gates = run([[1.0, 0.0, 1.0], [0.5, -1.0]])
    assert replay(PLAN, gates).spent == 5
    changes: list[dict[str, Any]] = [
        {"difference": 0.4},
        {"lifetime": 1.0},
        {"roberts": 0.1},
        {"level": 3},
        {"number": 9},
        {"gate": 1},
        {"counted": False},
    ]
    for change in changes:
        forged = [gates[0], [gates[1][0], replace(gates[1][1], **change)]]
        with pytest.raises(OversightError, match="computed again"):
            replay(PLAN, forged)


def test_a_replay_knows_of_releases() -> None:
    monitor = DriftMonitor(PLAN)
    gates = []
    for number in range(2):
        monitor.open_items([f"{number}.{n}" for n in range(3)], in_use=True)
        gates.append(monitor.close_items([1.0, 1.0, 0.0]))
        if number == 0:
            monitor.release()
    assert replay(PLAN, gates, releases=[3]).state() == monitor.state()
    with pytest.raises(OversightError, match="computed again"):
        replay(PLAN, gates)


@pytest.mark.parametrize(
    "bad",
    [
        {"delta0": -0.01},
        {"delta0": 0.3},
        {"delta0": math.nan},
        {"delta0": "0.08"},
        {"budget": 0},
        {"budget": 2.5},
        {"alpha": 0},
        {"alpha": 1},
        {"alpha": math.nan},
        {"run_length": 1},
        {"run_length": math.inf},
    ],
)
def test_a_plan_that_cannot_be_is_refused(bad: dict[str, Any]) -> None:
    with pytest.raises(OversightError, match="give"):
        DriftPlan(**({"delta0": 0.08, "budget": 100} | bad))


def test_factors_stay_positive_for_every_plan() -> None:
    worst = drift.factors(np.array([-1.0]), drift.LARGEST_DELTA0)
    assert worst.min() > 0


def test_money_is_cut_off_far_above_any_threshold() -> None:
    wealth = np.full((1, 5), 1e300)
    assert np.isfinite(drift.follow_bet(wealth, np.full((1, 5), 1.9))).all()
    assert np.isfinite(drift.follow_roberts(wealth, np.full((1, 5), 1.9))).all()


def test_delta0_comes_from_a_pilot() -> None:
    pilot = (stream(0, "test_drift", "pilot").random(400) < 0.05).astype(float).tolist()
    delta0 = delta0_of_pilot(pilot)
    assert np.mean(pilot) < delta0 < 0.2
    assert delta0_of_pilot([-0.5] * 400) == 0
    with pytest.raises(OversightError, match="at least 30"):
        delta0_of_pilot(pilot[:29])
    with pytest.raises(OversightError, match="calibrate the proxy"):
        delta0_of_pilot([0.5] * 400)
    with pytest.raises(OversightError, match="difference"):
        delta0_of_pilot([*pilot, math.nan])


def test_oversight_imports_no_torch() -> None:
    names = ("drift", "certify", "rate", "triggers", "proving", "proving.scripted")
    code = "; ".join(f"import autotelic.oversee.{name}" for name in names)
    found = subprocess.run(
        [sys.executable, "-c", f"{code}; import sys; sys.exit('torch' in sys.modules)"], check=False
    )
    assert found.returncode == 0
