"""Formulas written shortly read as themselves, and changed ones are formulas."""

from __future__ import annotations

import pytest

from autotelic.domains.expressions import FormulaError, draw, parse
from autotelic.domains.variation import at_place, places, put, spelled, varied
from autotelic.streams import stream

NAMES = ("item", "room", "gap")


@pytest.mark.parametrize(
    "text",
    [
        "-gap",
        "-(gap*2)",
        "-gap*2",
        "gap-(room-item)",
        "(gap^2)^3",
        "gap^2^3",
        "gap^-2",
        "-gap^2",
        "(-gap)^2",
        "room/(item*gap)",
        "if(gap,2,-room,max(item,1))",
        "item--gap",
        "0-0",
    ],
)
def test_a_short_text_reads_as_the_same_formula(text: str) -> None:
    formula = parse(text, NAMES)
    assert parse(spelled(formula), NAMES) == formula
    assert len(spelled(formula)) <= len(str(formula))


def test_random_formulas_read_as_themselves() -> None:
    for seed in range(300):
        formula = parse(draw(stream(seed, "t"), NAMES), NAMES)
        assert parse(spelled(formula), NAMES) == formula


def test_every_place_leads_to_a_part_that_can_be_put_back() -> None:
    formula = parse("max(item,gap-2)*room", NAMES)
    assert len(places(formula)) == formula.nodes
    assert all(put(formula, path, at_place(formula, path)) == formula for path in places(formula))
    assert spelled(put(formula, (0, 1), parse("3", NAMES))) == "max(item,3)*room"


def test_a_changed_formula_is_mostly_another_one() -> None:
    texts = [varied("if(gap,5,10,-gap)", NAMES, stream(seed, "t")) for seed in range(200)]
    assert all(parse(text, NAMES).nodes for text in texts)
    assert len(set(texts)) > 60
    with pytest.raises(FormulaError):
        varied("gap+", NAMES, stream(0, "t"))
