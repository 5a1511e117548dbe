import pytest
from synthetic_run import synthetic_run

from autotelic.dashboard import inspect
from autotelic.dashboard.publish import story_of
from autotelic.errors import RecordError
from autotelic.record import Record


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return synthetic_run(tmp_path_factory.mktemp("inspect") / "x", generations=8)


@pytest.fixture
def told(run):
    with Record.open(run.path) as record:
        story = story_of(run)
        yield lambda what: inspect.describe(record, story, inspect.find(record, story, what))


def test_a_task_is_told_with_its_lineage_its_secret_and_its_attempts(told):
    text = told("ded208")
    for words in (
        "deduction/2", "Written by the actor (weights abababababab) in generation 8", "shown: ind101",
        "f([3,1,2])==?", "[[3, 1, 2], [3, 2, 1]]", "2, of which 1 passed (50 %)", "attempt:",
    ):  # fmt: skip
        assert words in text
    assert told("task:ded208aa") == told("ded208aa") == text


def test_a_task_of_the_rules_says_so(told):
    assert "Written by the rules" in told("ded108")


def test_an_attempt_is_told_turn_by_turn_with_its_verdict_in_words(told):
    text = told("attempt:2")
    for words in (
        "as solver",
        "Turn 1 of 1",
        "it saw",
        "it wrote",
        "the executor says it is wrong (wrong output)",
    ):
        assert words in text
    assert "f([3,1,2])==[1,2,3]" in text
    assert "the executor says it is right" in told("attempt:1")


def test_what_a_model_wrote_cannot_steer_the_terminal(told):
    assert "\x1b" not in told("attempt:2")
    assert "\\x1b[2J" in told("attempt:2")


def test_a_generation_says_what_was_learned_dropped_and_decided_and_why(told):
    text = told("8")
    for words in (
        "Learned", "Proposed", "refused", "Practised", "38 groups whose attempts all fared alike",
        "longer than a row", "Exam sealed (after)", "Decided: promote",
        "because 4 items lost, 19 won: not worse", "New tasks: 9",
    ):  # fmt: skip
        assert words in text
    assert told("generation:8") == text
    assert "every task from the rules" in told("1")


@pytest.mark.parametrize(
    ("what", "cause"),
    [
        ("nope", "no task 'nope'"),
        ("", "no task ''"),
        ("ded", "6 tasks have an id that begins with 'ded'"),
        ("attempt:9999", "no attempt '9999' (it has 36)"),
        ("attempt:x", "no attempt 'x'"),
        ("99", "no generation '99' (it has 1 to 8)"),
        ("generation:x", "no generation 'x'"),
        ("thing:1", "names no kind of thing"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(told, what, cause):
    with pytest.raises(RecordError) as caught:
        told(what)
    assert cause in str(caught.value)
    assert caught.value.fix


def test_the_overview_has_a_line_a_generation(run):
    lines = inspect.overview(story_of(run)).splitlines()
    assert sum(line.lstrip()[:1].isdigit() for line in lines) == 8
    assert "reject" in lines[3]
