"""The virtual patients: the model against published courses, therapies as data, safety, who is held out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from autotelic.domains import capabilities_of
from autotelic.domains.insulin import InsulinDomain, TitrationDomain
from autotelic.domains.insulin.course import Lane, Outcome, outcome, simulate
from autotelic.domains.insulin.days import Days, draw_days
from autotelic.domains.insulin.domain import therapy_of, verdict
from autotelic.domains.insulin.dosing import STANDARD, AnswerError, Rule, Settings, read_rule, read_settings
from autotelic.domains.insulin.model import Bodies
from autotelic.domains.insulin.patients import GROUPS, Patient, new_patient, published, read, table
from autotelic.errors import DomainError
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Task

VECTORS = json.loads((Path(__file__).parents[1] / "vectors" / "simglucose.json").read_text())
MEALS = {420: 45.0}
CELL = Cell(mode="settings", level=1)


def tasks(n: int, seed: int = 0) -> list[Task]:
    return InsulinDomain().tasks(stream(seed, "tasks"), [CELL] * n)


def short(quarters: int) -> Days:
    """A few hours with one meal after the first, and no noise."""
    eaten = np.zeros(quarters)
    eaten[4] = 60.0
    return Days(eaten, eaten, np.zeros(quarters))


# ── the model ────────────────────────────────────────────────────────────────────────────────────


def test_it_goes_where_simglucose_goes() -> None:
    """Ten hours with a meal and its bolus, one patient of each group, within 0.01 mg/dL."""
    chosen = [patient for patient in published() if patient.name in VECTORS["glucose"]]
    assert {patient.group for patient in chosen} == set(GROUPS)
    p = table(chosen)
    bodies, found = Bodies(p), []
    for minute in range(VECTORS["minutes"][-1] + 1):
        grams = MEALS.get(minute, 0.0)
        bodies.minute(p["u2ss"] * p["BW"] / 6000 + grams / p["CR"], np.full(len(chosen), grams))
        if minute in VECTORS["minutes"]:
            found.append(bodies.glucose())
    wanted = np.array([VECTORS["glucose"][patient.name] for patient in chosen]).T
    assert np.abs(np.array(found) - wanted).max() < 0.01
    assert np.ptp(wanted) > 50  # a course that goes somewhere


def test_a_course_is_the_same_bits_whatever_else_is_in_the_batch() -> None:
    rng = stream(0, "batch")
    therapies = (STANDARD, Settings(80, 150, 70, 120), Rule("c/r+(g-140)/f-i*.2"))
    lanes = [Lane(new_patient(GROUPS[i % 3], rng), therapies[i % 3], short(12)) for i in range(37)]
    together, _ = simulate(lanes)
    for at in (0, 1, 2, 36):
        alone, _ = simulate([lanes[at]])
        assert np.array_equal(alone[0], together[at])
    assert np.array_equal(simulate(lanes[5:13])[0], together[5:13])


def test_a_patient_rests_under_its_basal_rate() -> None:
    nothing = np.zeros(8)
    lanes = [Lane(patient, STANDARD, Days(nothing, nothing, nothing)) for patient in published()]
    glucose, _ = simulate(lanes)
    fasting = np.array([patient.values["Gb"] for patient in published()])
    assert np.abs(glucose - fasting[:, None]).max() < 1e-6


def test_glucose_never_falls_below_nothing_however_large_the_dose() -> None:
    glucose, failed = simulate([Lane(published()[0], Rule("25"), short(40))])
    assert np.isfinite(glucose).all()
    assert glucose.min() > -1.0
    assert not failed.any()


def test_the_measures_of_a_course() -> None:
    found = outcome(np.array([50.0, 60.0, 100.0, 200.0]))
    assert (found.inside, found.below70, found.below54, found.above) == (25.0, 50.0, 25.0, 25.0)
    assert found.utility == 25.0 - 50.0 - 2 * 25.0
    # Kovatchev's risk of 50 mg/dL is about 22.5, of 112.5 none.
    assert outcome(np.array([50.0])).low_risk == pytest.approx(22.5, abs=0.2)
    assert outcome(np.array([112.5])).low_risk + outcome(np.array([112.5])).high_risk < 0.01


# ── patients ─────────────────────────────────────────────────────────────────────────────────────


def test_ten_patients_of_each_group_are_published_and_none_is_ever_a_task() -> None:
    assert [sum(p.group == group for p in published()) for group in GROUPS] == [10, 10, 10]
    known = {tuple(sorted(p.values.items())) for p in published()}
    assert not any(tuple(sorted(t.secret["patient"].items())) in known for t in tasks(60))


def test_a_signature_is_the_patient_and_not_its_days() -> None:
    """What an exam keeps from training is its signatures."""
    drawn = InsulinDomain().tasks(
        stream(3, "t"), [Cell(mode=m, level=k) for m in ("settings", "expression") for k in (1, 2)] * 8
    )
    assert len({task.signature for task in drawn}) == len(drawn)
    again = tasks(3)
    assert [task.signature for task in again] == [task.signature for task in tasks(3)]
    other = Task(
        domain="insulin", mode="settings", level=1, prompt="", secret={**again[0].secret, "seed": 1},
        signature=again[0].signature,
    )  # fmt: skip
    assert other.id != again[0].id


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"BW": None}, "no number"),
        ({"BW": "-3"}, "which no body has"),
        ({"Gb": "nan"}, "which no body has"),
        ({"b": "1.5"}, "b is not between 0 and 1"),
        ({"kmin": "0.9"}, "kmin is above kmax"),
        ({"Gb": "400"}, "not between 60 and 250"),
        ({"EGPb": "0.5"}, "is not positive"),
    ],
)
def test_an_impossible_patient_is_refused_in_one_line(change: dict[str, object], said: str) -> None:
    with pytest.raises(DomainError, match=said) as found:
        Patient.of("mine", "adult", {**published()[10].values, **change})
    assert "\n" not in str(found.value)


def test_a_patient_file_without_a_column_or_a_patient_is_refused() -> None:
    with pytest.raises(DomainError, match="holds no patient"):
        read("", "mine.csv")
    with pytest.raises(DomainError, match="has no EGPb"):
        read("Name,BW\nadult#1,70\n", "mine.csv")
    with pytest.raises(DomainError, match="of the group 'dog'"):
        read("Name,BW\ndog#1,70\n", "mine.csv")


def test_days_are_of_their_seed_and_the_second_level_is_told_less() -> None:
    one, two = draw_days(1, 20, 1), draw_days(1, 20, 2)
    assert np.array_equal(one.eaten, one.said)
    assert not np.array_equal(two.eaten, two.said)
    assert ((two.eaten > 0) & (two.said == 0)).any()
    assert 150 < one.eaten.sum() / 20 < 260  # grams a day


# ── answers ──────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("text", ["90 125 160 160\n", "basal 90, carbs 125, correction 160, target 160"])
def test_settings_are_four_numbers(text: str) -> None:
    assert read_settings(text) == Settings(90, 125, 160, 160)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "form"), ("1 2 3", "form"), ("1 2 3 4 5", "form"), ("100 100 100 99", "range"), ("x" * 999, "long"),
        ("90.5 100 100", "form"), ("-90 100 100 140", "form"), ("٩٠ 100 100 100", "form"), ("90 1 1 1\x00", "form"),
    ],
)  # fmt: skip
def test_what_sets_nothing_has_a_reason(text: str, reason: str) -> None:
    with pytest.raises(AnswerError, match=f"^{reason}$"):
        read_settings(text)


@pytest.mark.parametrize(
    "text",
    ["", "(" * 99, "__import__('os')", "g.real", "2**9", "[g]", "lambda: 1", "x", "True", "min(g)", "f(g)", "1e999",
     "g if c else d", "-" * 40 + "1", "g and c", "'a'", "g<c<d"],
)  # fmt: skip
def test_what_is_no_expression_is_refused(text: str) -> None:
    with pytest.raises(AnswerError, match="form"):
        read_rule(text)


def test_the_standard_therapy_as_an_expression_is_the_standard_therapy() -> None:
    rule = read_rule("(c>0)*(c/r+(g>150)*(g-140)/f)")
    glucose, _ = simulate([Lane(published()[0], therapy, short(16)) for therapy in (STANDARD, rule)])
    assert np.abs(glucose[0] - glucose[1]).max() < 1e-9


def course(utility: float, below54: float) -> Outcome:
    return Outcome(utility + 2 * below54, 0.0, below54, 0.0, 120.0, 0.0, 0.0)


def test_a_therapy_less_safe_than_the_standard_one_earns_less_than_it() -> None:
    standard, single = course(60.0, 1.0), course(70.0, 1.0)
    assert verdict(course(80.0, 1.0), standard, single).passed
    unsafe = verdict(course(95.0, 1.1), standard, single)
    assert (unsafe.passed, unsafe.reason, unsafe.reward) == (False, "unsafe", 0.55)
    worse = verdict(course(65.0, 0.0), standard, single)
    assert (worse.passed, worse.reason, worse.reward) == (False, "worse", 0.65)
    assert verdict(course(-250.0, 30.0), standard, single).reward == -1.0


def test_the_judge_gives_bad_answers_the_lowest_reward_and_good_ones_their_utility() -> None:
    domain = InsulinDomain()
    (task,) = domain.tasks(stream(0, "judge"), [CELL])
    (rule,) = domain.tasks(stream(0, "judge"), [Cell(mode="expression", level=1)])
    asked = [(task, ""), (task, "100 100 100 140"), (rule, "1/(c-c)"), (rule, "c/r")]
    found = domain.judge([(t, Episode(task_id=t.id, steps=(), answer=text)) for t, text in asked])
    assert [(v.reward, v.passed, v.reason) for v in found[::2]] == [
        (-1.0, False, "form"),
        (-1.0, False, "number"),
    ]
    assert all(-1.0 < v.reward <= 1.0 and v.reason in ("better", "worse", "unsafe") for v in found[1::2])
    assert found[1].reason != "unsafe", "standard therapy is as safe as itself"


def test_answers_of_the_right_form_are_therapies() -> None:
    domain = InsulinDomain()
    drawn = [
        Task(domain="insulin", mode=mode, level=1, prompt="", secret={}) for mode in domain.spec.modes
    ] * 50
    texts = domain.answers(drawn, stream(0, "answers"))
    assert not any(isinstance(therapy_of(t, str(text)), str) for t, text in zip(drawn, texts, strict=True))
    assert len(set(texts)) > 50


# ── visits ───────────────────────────────────────────────────────────────────────────────────────


def test_a_reply_that_sets_nothing_costs_its_visit_and_leaves_the_therapy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("autotelic.domains.insulin.domain.DAYS", 1)
    monkeypatch.setattr("autotelic.domains.insulin.titration.VISITS", 2)
    domain = TitrationDomain()
    assert capabilities_of(domain)[0] == "interactive"
    drawn = domain.tasks(stream(0, "visits"), [Cell(mode="titration", level=1)] * 3)
    sessions = domain.open(drawn, [0, 0, 0])
    first = sessions.step(["90 125 160 160", "what?", None])
    assert first[2] is None
    assert first[0] is not None
    assert first[1] is not None
    assert first[0][0]
    assert first[0][1] > -1.0
    assert first[1][1] == -1.0
    last = sessions.step(["", "90 125 160 160", None])
    assert last[0] == ("", -1.0)
    assert last[1] is not None
    assert last[1][0] == ""
    assert last[1][1] > -1.0
    (cut,) = domain.judge([(drawn[0], Episode(task_id=drawn[0].id, steps=(), answer="", ending="length"))])
    assert (cut.reward, cut.reason) == (-1.0, "short")
