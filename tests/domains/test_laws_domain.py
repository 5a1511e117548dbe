"""Hidden laws: the table and its units, measurements under a budget, bad answers, held-out laws, own laws."""

from __future__ import annotations

import numpy as np
import pytest

from autotelic.domains import capabilities_of
from autotelic.domains.expressions import parse
from autotelic.domains.laws import LawsDomain
from autotelic.domains.laws.domain import BUDGET, NOISE, points_of
from autotelic.domains.laws.table import ROWS, law, made, public, units_of
from autotelic.domains.laws.units import NONE, UnitError, spelled, unit, unit_of
from autotelic.errors import DomainError
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Task, Verdict

DOMAIN = LawsDomain()
SECOND = DOMAIN.pose("second law | N | m*a | m kg, a m/s^2")


def judged(task: Task, *answers: str) -> list[Verdict]:
    return DOMAIN.judge([(task, Episode(task_id=task.id, steps=(), answer=text)) for text in answers])


def test_the_table_has_a_hundred_laws_whose_units_fit_and_whose_values_are_finite() -> None:
    laws = public()
    assert len(laws) == len({found.name for found in laws}) == len(ROWS.strip().splitlines()) >= 100
    for found in laws:
        points = points_of(found)
        values = found.formula({symbol: points[:, at] for at, symbol in enumerate(found.symbols)})
        assert np.isfinite(values).all(), found.name


@pytest.mark.parametrize("level", [1, 2, 3])
def test_made_laws_have_the_unit_they_say(level: int) -> None:
    rng = stream(0, "t")
    for _ in range(100):
        found = made(level, rng)
        assert unit_of(found.formula, units_of(found)) == unit(found.result)


def test_units_are_algebra() -> None:
    assert unit("N*m") == unit("J") == unit("W*s") == unit("kg*m^2/s^2") == unit(spelled(unit("V*C")))
    assert unit("1") == NONE
    with pytest.raises(UnitError):
        unit_of(parse("a+b", "ab"), {"a": unit("m"), "b": unit("s")})
    with pytest.raises(UnitError):
        unit_of(parse("exp(a)", "a"), {"a": unit("m")})


def test_pint_agrees_about_every_unit_of_the_table() -> None:
    pint = pytest.importorskip("pint")
    registry = pint.UnitRegistry()
    for found in public():
        for text in (*found.units, found.result):
            theirs = registry.parse_expression(text).dimensionality if text != "1" else {}
            ours = registry.parse_expression(spelled(unit(text)).replace("/", "**")).dimensionality
            assert theirs == ours or text == "1"


def test_a_law_is_recovered_by_any_formula_of_its_values() -> None:
    right, other_text, wrong_units, other_law = judged(SECOND, "=a*b", "F = b*a", "=a*a", "=2*a*b")
    assert (right.reward, right.passed, right.reason) == (1.0, True, "recovered")
    assert other_text.passed
    assert (wrong_units.passed, wrong_units.reason) == (False, "units")
    assert (other_law.passed, other_law.reason) == (False, "other law")
    assert 0 < wrong_units.reward < 1
    assert 0 < other_law.reward < 1


@pytest.mark.parametrize(
    "answer", ["", "2 3", "=", "=x*y", "=a*", "=" + "(" * 99, "=a" * 500, "=1e999", "=__import__"]
)
def test_what_is_no_formula_gets_the_lowest_reward(answer: str) -> None:
    (verdict,) = judged(SECOND, answer)
    if answer == "=a" * 500:  # the text behind the last sign is a formula
        assert not verdict.passed
    else:
        assert (verdict.reward, verdict.passed) == (0, False)


@pytest.mark.parametrize(
    "answer", ["=a^b^a^b", "=1/(a-a)", "=log(0-a)", "=exp(exp(exp(a)))", "=a^(9^9)", "=a^(0/0)"]
)
def test_an_undefined_formula_is_no_law(answer: str) -> None:
    (verdict,) = judged(SECOND, answer)
    assert 0 < verdict.reward < 0.3
    assert not verdict.passed


def test_readings_are_of_the_law_with_noise_and_the_budget_ends() -> None:
    (again, task) = (DOMAIN.open([SECOND], [0]), DOMAIN.open([SECOND], [0]))
    seen = [task.step(["2 3"])[0] for _ in range(BUDGET[1])]
    readings = [float(str(shown[0]).strip().rstrip("=")) for shown in seen if shown]
    assert all(abs(value - 6) < 6 * NOISE * 5 for value in readings)
    assert len(set(readings)) > 1
    assert str(seen[-1][0]).endswith("=\n")
    assert task.step(["2 3"]) == [("", 0.0)]
    assert again.step(["2 3"])[0] == seen[0]
    assert again.step(["=a*b"]) == [("", 0.0)]


@pytest.mark.parametrize("reply", ["", "2", "2 3 4", "2 99", "a b", "-1 2"])
def test_a_bad_measurement_costs_one_and_shows_nothing(reply: str) -> None:
    shown = DOMAIN.open([SECOND], [0]).step([reply])
    assert shown == [("\n?\n", 0.0)]


def test_an_exam_is_held_out_by_law() -> None:
    tasks = DOMAIN.tasks(stream(0, "t"), [Cell(mode="public", level=1)] * 200)
    laws = {str(task.secret["law"]) for task in tasks}
    # Two laws of one form and the same units are one law to be found.
    assert 40 < len({task.signature for task in tasks}) <= len(laws) < 50
    made_up = DOMAIN.tasks(stream(0, "t"), [Cell(mode="made", level=2)] * 200)
    assert len({task.signature for task in made_up}) > 150


def test_answers_of_the_right_form_are_turns() -> None:
    tasks = DOMAIN.tasks(stream(0, "t"), DOMAIN.spec.cells * 5)
    for task, text in zip(tasks, DOMAIN.answers(tasks, stream(0, "a")), strict=True):
        if str(text).startswith("="):
            assert judged(task, str(text))[0].reward > 0
        else:
            assert "?" not in str(DOMAIN.open([task], [0]).step([text])[0])
    assert set(capabilities_of(DOMAIN)) >= {"interactive", "shaped", "posable", "textual"}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "n | N | m*a | m kg",
        "n | N | m | m blub",
        "n | N | m | m kg",
        "n | J | m+a | m J, a N",
        "n | m | x | ",
    ],
)
def test_a_bad_law_is_one_line(text: str) -> None:
    with pytest.raises(DomainError) as caught:
        law(text)
    assert "\n" not in str(caught.value)
