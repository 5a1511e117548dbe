"""The model card."""

from __future__ import annotations

from dataclasses import replace

from synthetic_run import CHARTER, started, synthetic_messages

from autotelic import messages as m
from autotelic.dashboard.card import model_card
from autotelic.dashboard.story import Story


def test_the_card_says_what_how_how_good_and_what_not() -> None:
    card = model_card(Story.of(synthetic_messages(12)), "champion of x")
    assert card.startswith("---\nlibrary_name: transformers\n")
    for words in ("# champion of x", "## How it was trained", "## Exam", "## Use", "## Limits"):
        assert words in card
    assert "No text made by people was used" in card
    assert "| induction |" in card
    assert "before learning" in card
    assert card.index("Sealed exam") < card.index("the exam it set itself")


def test_the_card_names_what_can_be_verified() -> None:
    first, *rest = synthetic_messages(4)
    assert isinstance(first, m.RunStarted)
    parent = m.Parent(run="f" * 32, weights="sha256:" + "12" * 32, seals=False)
    card = model_card(Story.of([replace(first, parent=parent), *rest]), "x")
    for fact in (
        first.start, first.run, first.commit, CHARTER.digest, "seed 7", parent.run, parent.weights,
        "sha256:" + "5e" * 32,
    ):  # fmt: skip
        assert fact in card
    assert "not known here" in card


def test_without_an_exam_the_card_claims_nothing() -> None:
    card = model_card(Story(), "x")
    assert "has not been evaluated" in card
    assert "pass@1" not in card


def test_a_pretrained_start_is_not_called_a_start_from_nothing() -> None:
    card = model_card(Story.of([started(model="org/model-1b")]), "x")
    assert "pretrained weights of `org/model-1b`" in card
    assert "random weights" not in card


def test_rewards_are_not_called_successes() -> None:
    card = model_card(Story.of(synthetic_messages(4, graded=True)), "x")
    assert "pass@1" not in card
    assert "0 % is a reward of -10" in card
