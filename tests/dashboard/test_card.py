from synthetic_run import synthetic_events

from autotelic.dashboard.card import model_card
from autotelic.dashboard.story import Story, tell


def test_the_card_says_what_how_how_good_and_what_not():
    card = model_card(tell(synthetic_events(12)), "champion of x")
    assert card.startswith("---\nlibrary_name: transformers\n")
    for words in ("# champion of x", "## How it was trained", "## Exam", "## Use", "## Limits"):
        assert words in card
    assert "grammar of the rules and nothing else" in card
    assert "| induction |" in card
    assert "before learning" in card
    assert card.index("Sealed exam") < card.index("the exam it set itself")


def test_without_an_exam_the_card_claims_nothing():
    card = model_card(Story(), "x")
    assert "has not been sat" in card
    assert "pass@1" not in card


def test_a_pretrained_start_is_not_called_a_start_from_nothing():
    story = tell(synthetic_events(3))
    story.start = {**story.start, "charter": {**story.charter, "model": {"name": "org/model-1b"}}}
    assert "pretrained weights of `org/model-1b`" in model_card(story, "x")
