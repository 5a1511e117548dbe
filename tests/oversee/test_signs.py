"""What a run's messages tell oversight: each measure from its messages, when it alarms, and how often."""

from __future__ import annotations

import json
from typing import Any

import pytest

from autotelic import messages as m
from autotelic.charter import BUILT_IN, Charter
from autotelic.oversee.signs import Signs
from autotelic.state import State
from autotelic.thresholds import DEFAULTS, read_thresholds
from autotelic.types import (
    Calibration,
    CriticReport,
    Decision,
    Episode,
    ExamReport,
    Group,
    LearnReport,
    Score,
    Scores,
    Spec,
    Step,
    Task,
    Turn,
)

TASK = Task(domain="d", mode="m", level=1, prompt="p", secret={})


def updated(kl: float, entropy: float = 2.0) -> m.Updated:
    report = LearnReport(
        loss=1.0,
        nll=1.0,
        policy=0.0,
        kl=kl,
        clipped=0.0,
        entropy=entropy,
        grad_norm=1.0,
        tokens=1,
        seconds=0.1,
    )
    return m.Updated(step=0, before="a", after="b", rate=1.0, threads=1, report=report)


def answered(*stops: Any) -> m.Judged:
    turns = [Turn(prompt_ids=(1,), completion_ids=(2,), logprobs=(-1.0,), weights="w", stop=s) for s in stops]
    episodes = tuple(Episode(task_id=TASK.id, steps=(Step(turn=turn),), answer="a") for turn in turns)
    return m.Judged(purpose="attempt", groups=(Group(task=TASK, episodes=episodes),))


def admitted(tasks: int, known: int, other: int) -> m.Admitted:
    outcomes = [m.Outcome(proposal=n, task="t") for n in range(tasks)]
    outcomes += [m.Outcome(proposal=n, reason="known") for n in range(known)]
    outcomes += [m.Outcome(proposal=n, reason="syntax") for n in range(other)]
    return m.Admitted(outcomes=tuple(outcomes))


def critic(ece: float, *, trusted: bool) -> list[m.Message]:
    said = Calibration(n=500, ece=ece, auroc=0.9, siblings=0.9, brier=0.1, trusted=trusted)
    report = CriticReport(loss=0.1, n=1, replayed=0, updates=1, tokens=1, seconds=0.1)
    appraised = m.Appraised(calibration=said, agreement={}, ranking={}, withheld=0, audited=0, audit=1.0)
    return [appraised, m.CriticUpdated(report=report, calibration=said)]


def exam(right: int, of: int = 100, when: Any = "during", name: str = "sealed") -> m.Evaluated:
    outcomes = {f"i{n}": float(n < right) for n in range(of)}
    score = Score(value=right / of, low=0.0, high=1.0, n=of)
    report = ExamReport(
        exam=name, digest="d", weights="w", overall=Scores(pass_at_1=score), outcomes=outcomes
    )
    return m.Evaluated(when=when, tokens=0, seconds=0.0, took=0.0, report=report)


def signs(*lines: str, critic_rewards: bool = True, settled: bool = True, priced: bool = True) -> Signs:
    return Signs(read_thresholds(lines), critic_rewards=critic_rewards, settled=settled, priced=priced)


def generation(found: Signs, number: int, *messages: m.Message) -> list[tuple[str, int]]:
    """One generation as the stage at its end does it; its alarms, taken in."""
    for message in (m.GenerationBegan(generation=number), *messages):
        found.apply(message)
    found.apply(found.measured())
    alarms = found.alarms()
    for alarm in alarms:
        found.apply(m.Alarmed(trigger=alarm.trigger, level=alarm.level, reason=alarm.reason))
    return [(alarm.trigger, alarm.level) for alarm in alarms]


def test_each_measure_is_read_from_its_messages() -> None:
    found = signs()
    for message in (
        updated(1.0),
        updated(9.0, 0.5),
        updated(2.0, 3.0),
        answered("length", "eos", "eos", "eos"),
    ):
        found.apply(message)
    for message in (admitted(2, 1, 1), *critic(0.05, trusted=True)):
        found.apply(message)
    measured = found.measured()
    assert (measured.kl, measured.entropy) == (2.0, 2.0)
    assert (measured.length, measured.duplicates, measured.validity) == (0.25, 0.25, 0.5)
    assert measured.calibration_error == 0.05
    assert set(measured.armed) == {"kl", "entropy", "length", "duplicates", "validity", "calibration_error"}


GOOD: dict[str, list[m.Message]] = {
    "kl": [updated(0.1)],
    "entropy": [updated(0.1, 1.0)],
    "length": [answered("eos")],
    "duplicates": [admitted(1, 0, 0)],
    "validity": [admitted(1, 0, 0)],
    "calibration_error": critic(0.05, trusted=True),
}
BAD: dict[str, tuple[int, list[m.Message]]] = {
    "kl": (2, [updated(6.0)]),
    "entropy": (1, [updated(0.1, 0.001)]),
    "length": (1, [answered("length")]),
    "duplicates": (1, [admitted(1, 99, 0)]),
    "validity": (1, [admitted(0, 0, 10)]),
    "calibration_error": (2, critic(0.5, trusted=True)),
}


@pytest.mark.parametrize("name", BAD)
def test_a_measure_alarms_once_after_it_was_good_and_again_after_a_release(name: str) -> None:
    level, bad = BAD[name]
    other = ["validity = off"] if name == "duplicates" else []  # what is all known holds no tasks either
    found = signs(*other)
    assert generation(found, 1, *bad) == []  # it was never good: a model that begins from nothing
    assert generation(found, 2, *GOOD[name]) == []
    assert generation(found, 3, *bad) == [(name, level)]
    assert generation(found, 4, *bad) == []  # the brake is raised already
    lease = m.Leased(epoch=5, parent="w", blob="b", certificate=-1, level=0, grade="A")
    assert generation(found, 5, lease, *bad) == [(name, level)]
    off = signs(f"{name} = off", *other)
    assert generation(off, 1, *GOOD[name]) == generation(off, 2, *bad) == []


def test_a_measure_that_begins_near_its_threshold_does_not_alarm_when_chance_takes_it_across() -> None:
    found = signs()
    for at, cut in enumerate(
        (18, 19, 18, 20, 19, 20), 1
    ):  # of 20 answers of random weights; 95 % is the limit
        assert generation(found, at, answered(*["length"] * cut, *["eos"] * (20 - cut))) == []
    assert generation(found, 7, answered("length", "eos")) == generation(found, 8, answered("eos")) == []
    assert generation(found, 9, answered("length")) == [("length", 1)]


def test_a_threshold_of_the_charter_is_the_one_that_counts() -> None:
    found = signs("kl = 1.5")
    assert generation(found, 1, updated(0.1)) == []
    assert generation(found, 2, updated(1.6)) == [("kl", 2)]


def test_kl_to_random_weights_says_nothing_until_weights_are_certified() -> None:
    found = signs(settled=False)
    assert generation(found, 1, updated(0.0)) == []
    assert generation(found, 2, updated(50.0)) == []
    won = m.Decided(
        weights="w", champion="c", decision=Decision(verdict="promote", reasons=(), certificate=0)
    )
    assert generation(found, 3, won, updated(0.1)) == []
    assert generation(found, 4, updated(50.0)) == [("kl", 2)]


def test_a_distance_without_a_price_is_none_to_the_reference_policy() -> None:
    """Nothing scores the reference policy then: an update's KL is to the policy that sampled."""
    found = signs(priced=False)
    assert generation(found, 1, updated(0.0)) == []
    assert generation(found, 2, updated(50.0)) == []


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("kl", [0.0, 0.01])
def test_a_model_from_random_weights_begins_unsettled(name: str, kl: float) -> None:
    charter = Charter.of({"model": {"name": name}, "learn": {"kl": kl}})
    spec = Spec(name="t", modes=("a",), levels=(1, 2, 3))
    state = State(charter, spec, imitates=True, champion="c")
    assert not state.signs.settled
    assert state.signs.priced == bool(kl)


def test_a_critic_that_is_not_in_use_is_not_watched() -> None:
    for rewards, trusted in ((False, True), (True, False)):
        found = signs(critic_rewards=rewards)
        generation(found, 1, *critic(0.05, trusted=True))
        assert generation(found, 2, *critic(0.5, trusted=trusted)) == []


def test_a_fall_of_an_exam_holds_and_certified_weights_set_what_it_is_held_against() -> None:
    found = signs()
    assert generation(found, 1, exam(99, when="before"), exam(80)) == []
    assert generation(found, 2, exam(76)) == []
    assert generation(found, 3, exam(40)) == [("regression of sealed", 2)]
    fresh = signs()
    generation(fresh, 1, exam(80))
    won = m.Decided(
        weights="w", champion="c", decision=Decision(verdict="promote", reasons=(), certificate=0)
    )
    assert generation(fresh, 2, won, exam(40)) == []
    assert generation(fresh, 3, exam(39)) == []
    own = signs()
    generation(own, 1, exam(30, 30, name="own"))
    assert generation(own, 2, exam(3, 30, name="own")) == [("regression of own", 2)]
    pool = signs()
    generation(pool, 1, exam(30, 30, name="pool"))
    assert generation(pool, 2, exam(3, 30, name="pool")) == []


def looked(found: Signs, number: int, said: float, truth: float, n: int = 32) -> list[tuple[str, int]]:
    names = tuple(f"s{k}/{number}" for k in range(n))
    return generation(
        found,
        number,
        m.Opened(items=names, sources=("critic",), fresh=n),
        m.Looked(said=(said,) * n, truth=(truth,) * n),
    )


def test_drift_holds_and_stops_and_the_lifetime_alarm_is_told_once() -> None:
    found = signs()
    assert looked(found, 1, 0.55, 0.5) == []
    assert looked(found, 2, 1.0, 0.0) == [("drift", 3), ("early drift", 2)]
    assert looked(found, 3, 1.0, 0.0) == []
    lease = m.Leased(epoch=5, parent="w", blob="b", certificate=-1, level=0, grade="A")
    assert generation(found, 4, lease) == []
    assert looked(found, 5, 1.0, 0.0) == [("early drift", 2)]
    assert signs("drift = off").limits["drift"] is None


def test_sealed_items_are_a_budget_and_its_end_stops_the_run() -> None:
    found = signs("sealed_items = 40")
    assert looked(found, 1, 0.5, 0.5) == []
    assert found.exhausted(8) is None
    alarm = found.exhausted(9)
    assert alarm is not None
    assert (alarm.trigger, alarm.level) == ("budget", 3)
    found.apply(m.Alarmed(trigger=alarm.trigger, level=alarm.level, reason=alarm.reason))
    assert found.exhausted(9) is None


def test_signs_survive_a_checkpoint() -> None:
    found = signs()
    generation(found, 1, updated(0.1), exam(80))
    looked(found, 2, 1.0, 0.0)
    again = signs()
    again.restore(json.loads(json.dumps(found.to_json())))
    assert again.to_json() == found.to_json()
    assert looked(again, 3, 1.0, 0.0) == looked(found, 3, 1.0, 0.0)
    assert again.slow


@pytest.mark.parametrize(
    "line",
    [
        "speed = 3",
        "kl",
        "kl = x",
        "kl = nan",
        "kl = -1",
        "drift = 0.5",
        "regression = 1",
        "sealed_items = 0.5",
    ],
)
def test_a_threshold_that_is_none_is_refused_in_one_line(line: str) -> None:
    with pytest.raises(ValueError, match=r"oversight\.thresholds has .*; ") as caught:
        read_thresholds([line])
    assert "\n" not in str(caught.value)


def test_thresholds_have_defaults_and_are_named_once() -> None:
    assert read_thresholds([]) == dict(DEFAULTS)
    assert read_thresholds(["kl=2", "length = off"]) == {**DEFAULTS, "kl": 2.0, "length": None}
    with pytest.raises(ValueError, match="names kl twice"):
        read_thresholds(["kl = 2", "kl = 3"])
