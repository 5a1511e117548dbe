"""Forecasts of drifting systems: the score, the simulators, bad answers, held-out regimes."""

from __future__ import annotations

import numpy as np
import pytest

from autotelic.domains import capabilities_of
from autotelic.domains.forecast import ForecastDomain
from autotelic.domains.forecast.domain import MODES, TURNS, WORST, world_of
from autotelic.domains.forecast.systems import EXCHANGE, FEEDBACK, balance, crps, lorenz
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Step, Task, Turn

DOMAIN = ForecastDomain()
TURN = Turn(prompt_ids=(1,), completion_ids=(2,), logprobs=(0.0,), weights="w", stop="eos")


def tasks(mode: str, level: int = 1, count: int = 1) -> list[Task]:
    return DOMAIN.tasks(stream(0, "t"), [Cell(mode=mode, level=level)] * count)


def played(task: Task, replies: list[str]) -> Episode:
    """The episode of these replies."""
    sessions, steps = DOMAIN.open([task], [0]), []
    for reply in replies:
        (shown,) = sessions.step([reply])
        assert shown is not None
        steps.append(Step(turn=TURN, reply=shown[0], reward=shown[1]))
    return Episode(task_id=task.id, steps=tuple(steps), answer=replies[-1])


def test_the_score_is_the_fair_crps_of_its_definition() -> None:
    rng = stream(0, "t")
    ensemble, truth = rng.normal(0, 1, (7, 5)), rng.normal(0, 1, 5)
    pairs = np.abs(ensemble[:, None] - ensemble[None]).sum((0, 1)) / (2 * 7 * 6)
    assert crps(ensemble, truth) == pytest.approx(np.abs(ensemble - truth).mean(0) - pairs)


def test_scoringrules_agrees_with_the_score() -> None:
    scoringrules = pytest.importorskip("scoringrules")
    rng = stream(0, "t")
    ensemble, truth = rng.normal(0, 1, (20, 50)), rng.normal(0, 1, 50)
    theirs = scoringrules.crps_ensemble(truth, ensemble.T, estimator="fair")
    assert crps(ensemble, truth) == pytest.approx(theirs, abs=1e-12)


def test_lorenz_rests_at_its_forcing_and_a_member_is_the_same_in_any_batch() -> None:
    assert lorenz(np.full((1, 40), 8.0), 8.0, 10) == pytest.approx(8.0)
    states = stream(0, "t").normal(8, 1, (5, 40))
    together = lorenz(states, 8.0, 50)
    assert (lorenz(states[2:3], 8.0, 50) == together[2:3]).all()


def test_the_balance_warms_to_its_forcing_over_its_feedback() -> None:
    (upper, deep) = balance(np.zeros((1, 2)), 3.7, 3000)[0]
    assert upper == pytest.approx(3.7 / FEEDBACK, abs=0.01)
    assert EXCHANGE * (upper - deep) == pytest.approx(0, abs=0.01)


@pytest.mark.parametrize("mode", MODES)
def test_who_knows_the_forcing_forecasts_better_than_climatology_and_than_who_does_not(mode: str) -> None:
    for task in tasks(mode, count=5):
        world = world_of(task)
        told = played(task, [str(forcing) for forcing in world.forcings])
        off = played(task, [str(min(world.system.high, forcing + 3)) for forcing in world.forcings])
        good, bad = DOMAIN.judge([(task, told), (task, off)])
        assert good.reward > 0.5 > bad.reward
        assert [step.reply for step in told.steps][-1] == ""


@pytest.mark.parametrize("reply", ["", "none", "-3", "999", "1e9", "8" * 1000, "nan"])
@pytest.mark.parametrize("mode", MODES)
def test_what_is_no_forcing_gets_the_lowest_reward(mode: str, reply: str) -> None:
    (task,) = tasks(mode)
    episode = played(task, [reply] * TURNS)
    assert DOMAIN.judge([(task, episode)])[0].reward <= (WORST if reply != "1e9" else 1)


def test_turns_that_are_missing_count_as_the_worst() -> None:
    (task,) = tasks("balance")
    world = world_of(task)
    (verdict,) = DOMAIN.judge([(task, played(task, [str(world.forcings[0])]))])
    assert verdict.reward == pytest.approx((world.reward(0, str(world.forcings[0])) - (TURNS - 1)) / TURNS)


@pytest.mark.parametrize("mode", MODES)
def test_an_exam_is_held_out_by_regime(mode: str) -> None:
    practised, examined = tasks(mode, 1, 60), tasks(mode, 3, 20)
    highest = max(max(task.secret["before"], task.secret["after"]) for task in practised)
    assert highest <= min(min(task.secret["before"], task.secret["after"]) for task in examined)
    assert len({task.signature for task in practised}) > 50
    assert tasks(mode, 1, 3) == practised[:3]


def test_answers_of_the_right_form_are_forcings() -> None:
    asked = tasks("lorenz", count=5) + tasks("balance", count=5)
    for task, text in zip(asked, DOMAIN.answers(asked, stream(0, "a")), strict=True):
        assert world_of(task).system.low <= float(str(text)) <= world_of(task).system.high
    assert set(capabilities_of(DOMAIN)) >= {"interactive", "shaped", "textual"}
