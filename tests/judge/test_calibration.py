"""Scaling finds the scale, and quality is measured on what was said at the time."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from autotelic.judge.calibration import LEAST, Calibrator, platt
from autotelic.streams import stream


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def test_platt_recovers_a_critic_that_is_too_sure_and_too_hopeful() -> None:
    rng = stream(0)
    logits = rng.normal(0, 4, size=4000)
    passed = rng.random(4000) < sigmoid(0.5 * logits - 1)
    slope, shift = platt(logits, passed.astype(float))
    assert slope == pytest.approx(0.5, abs=0.04)
    assert shift == pytest.approx(-1, abs=0.12)


def test_without_evidence_logits_are_left_alone() -> None:
    assert platt(np.zeros(0), np.zeros(0)) == (1.0, 0.0)
    slope, shift = platt(np.array([2.0]), np.array([1.0]))
    assert slope == pytest.approx(1, abs=0.25)
    assert shift == pytest.approx(0, abs=0.25)


def test_a_critic_that_ranks_backwards_is_not_turned_around() -> None:
    logits = np.linspace(-3, 3, 400)
    slope, _ = platt(logits, (logits < 0).astype(float))
    assert slope == 0.01


@pytest.mark.parametrize("scale", [1e-3, 1.0, 60.0])
def test_separable_outcomes_and_extreme_logits_stay_finite(scale: float) -> None:
    logits = scale * np.linspace(-1, 1, 200)
    found = platt(logits, (logits > 0).astype(float))
    assert all(map(math.isfinite, found))


def observed(count: int, noise: float, seed: int = 1) -> Calibrator:
    """Groups of four; the logit is the truth plus noise."""
    rng, calibrator = stream(seed), Calibrator()
    for _ in range(count // 40):
        passed = rng.random((10, 4)) < 0.5
        logits = 2.0 * (2 * passed - 1) + noise * rng.normal(size=(10, 4))
        calibrator.observe(logits.tolist(), passed.tolist())
    return calibrator


def test_a_good_critic_is_trusted_once_there_is_enough_of_it() -> None:
    assert not observed(LEAST - 40, 0.5).quality.trusted
    assert observed(1200, 0.5).quality.trusted


def test_a_critic_that_guesses_is_not_trusted_however_calibrated() -> None:
    quality = observed(2000, 500.0).quality
    assert quality.auroc < 0.6
    assert not quality.trusted


def test_one_bar_of_trust_is_on_ranking_and_on_calibration() -> None:
    good = observed(1200, 0.5)
    # A third of the attempts may be ranked wrongly, and then stated shares be off by a tenth.
    assert (Calibrator().min_ranking, Calibrator().max_ece) == (0.7, pytest.approx(0.1))
    strict = Calibrator(trust=1.0)
    strict.restore(good.state())
    assert good.quality.trusted
    assert strict.quality.ece > 0
    assert not strict.quality.trusted


def test_real_outcomes_are_ranked_by_pairs_that_differ() -> None:
    calibrator = Calibrator()
    # Two of the first three pairs of siblings are ranked rightly, and the tie of the other two counts half.
    calibrator.observe([[-1.0, 0.0, 1.0], [0.5, 0.5]], [[0.2, 0.9, 0.4], [0.3, 0.6]])
    quality = calibrator.quality
    assert quality.siblings == (1 + 1 + 0 + 0.5) / 4
    assert 0 < quality.auroc < 1
    stated = sigmoid(np.array([-1.0, 0.0, 1.0, 0.5, 0.5]))
    assert quality.brier == pytest.approx(np.mean((stated - [0.2, 0.9, 0.4, 0.3, 0.6]) ** 2))


def test_a_critic_of_real_rewards_can_be_trusted() -> None:
    rng, calibrator = stream(4), Calibrator()
    for _ in range(60):
        outcome_BG = rng.beta(0.5, 0.5, size=(10, 4))
        logit_BG = np.log(outcome_BG / (1 - outcome_BG)).clip(-4, 4) + 0.3 * rng.normal(size=(10, 4))
        calibrator.observe(logit_BG.tolist(), outcome_BG.tolist())
    assert calibrator.quality.trusted
    assert calibrator.quality.siblings > 0.9


def test_scaling_learns_from_soft_outcomes() -> None:
    rng = stream(5)
    logits = rng.normal(0, 3, size=2000)
    slope, shift = platt(logits, sigmoid(0.5 * logits + 1))
    assert slope == pytest.approx(0.5, abs=0.03)
    assert shift == pytest.approx(1, abs=0.05)


def test_knowing_which_tasks_are_hard_is_not_knowing_which_attempts_are_right() -> None:
    rng, calibrator = stream(2), Calibrator()
    for _ in range(300):
        easy = bool(rng.random() < 0.5)
        passed = rng.random(4) < (0.85 if easy else 0.15)
        calibrator.observe([[1.7 if easy else -1.7] * 4], [passed.tolist()])
    quality = calibrator.quality
    assert quality.auroc > 0.8
    assert quality.ece < 0.1
    assert quality.siblings == 0.5
    assert not quality.trusted


def test_quality_is_of_what_was_stated_not_of_what_would_be_now() -> None:
    calibrator = Calibrator()
    calibrator.observe([[3.0] * 50], [[False] * 50])
    stated = float(sigmoid(np.array(3.0)))
    assert calibrator.quality.ece == pytest.approx(stated)
    assert calibrator.quality.brier == pytest.approx(stated**2)
    assert calibrator.probability([3.0])[0] < 0.5


def test_nothing_said_is_not_trusted() -> None:
    quality = Calibrator().quality
    assert quality.n == 0
    assert math.isnan(quality.ece)
    assert not quality.trusted


def test_old_predictions_are_forgotten() -> None:
    calibrator = Calibrator(window=8)
    for _ in range(5):
        calibrator.observe([[0.0] * 4], [[True] * 4])
    assert calibrator.quality.n == 8


def test_state_survives_json_exactly() -> None:
    calibrator, other = observed(400, 1.0), Calibrator()
    other.restore(json.loads(json.dumps(calibrator.state())))
    assert other.quality == calibrator.quality
    assert other.state() == calibrator.state()
    assert other.probability([0.3]).tolist() == calibrator.probability([0.3]).tolist()
