"""Scaling finds the scale, and quality is measured on what was said at the time."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from autotelic.judge import Calibrator
from autotelic.judge.calibration import LEAST, platt
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


def test_thresholds_decide() -> None:
    good = observed(1200, 0.5)
    good.max_ece = 0.0
    assert not good.quality.trusted
    good.max_ece, good.min_auroc = 1.0, 1.0
    assert good.quality.trusted == (good.quality.auroc == 1.0)


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
