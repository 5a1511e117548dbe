"""The report: one page, made from the messages of a run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from synthetic_run import started, synthetic_messages, synthetic_run

from autotelic import messages as m
from autotelic.dashboard import report
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.publish import publish, story_of
from autotelic.dashboard.report import write_report
from autotelic.dashboard.specimens import choose
from autotelic.dashboard.story import Story
from autotelic.record import Journal, RunFolder

VOID = {"meta", "input", "br", "hr", "link", "img"}


class Balance(HTMLParser):
    """Follows which elements are open, and what was loaded from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.loaded: list[str | None] = []
        self.wrong: list[str] = []
        self.scripts = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.scripts += tag == "script"
        self.loaded += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def render(story: Story, name: str = "x") -> str:
    """The report of messages that lie in no folder: what only a journal has is not there."""
    return report.render(RunView.read(Path("no-such-folder"), name, story))


def parsed(page: str) -> Balance:
    balance = Balance()
    balance.feed(page)
    return balance


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunFolder:
    return synthetic_run(tmp_path_factory.mktemp("report") / "x")


@pytest.fixture(scope="module")
def published(run: RunFolder) -> str:
    publish(run)
    return run.report.read_text()


@pytest.fixture
def journal(run: RunFolder) -> Iterator[Journal]:
    with Journal.open(run.path) as journal:
        yield journal


def test_the_page_is_whole_and_needs_nothing_else(published: str) -> None:
    balance = parsed(published)
    assert balance.open == balance.wrong == []
    # Its own places are all that it leads to, and each of them is there.
    assert balance.loaded
    assert all(
        place and place.startswith("#") and f'id="{place[1:]}"' in published for place in balance.loaded
    )
    assert balance.scripts == 0
    assert "url(" not in published
    assert "http" not in published.replace('http-equiv="Content-Security-Policy"', "")
    assert "default-src 'none'" in published


def test_the_page_answers_what_a_reader_asks() -> None:
    page = render(Story.of(synthetic_messages(12)), "runs/x")
    for section in (
        "Result", "Learning curves", "By mode and level", "What it practised", "The proposer", "The critic",
        "Learning", "Where the time went", "Decisions", "The charter",
    ):  # fmt: skip
        assert f"<h2>{section}</h2>" in page
    assert "No text made by people was used" in page
    assert "its own exam" in page
    assert page.index("sealed exam, pass@1") < page.index("its own exam")
    assert "prefers-color-scheme: dark" in page


def test_what_humans_and_models_wrote_cannot_be_markup(published: str) -> None:
    assert "A &lt;synthetic&gt; charter" in published
    assert "&lt;script&gt;" in published


def test_before_anything_happened_there_is_a_page() -> None:
    page = render(Story(), "x")
    assert "has not started yet" in page
    assert parsed(page).wrong == []


@pytest.mark.parametrize("graded", [True, False])
def test_at_every_moment_of_a_run_there_is_a_page(graded: bool) -> None:
    story = Story()
    for count, message in enumerate(synthetic_messages(6, graded=graded)):
        story.add(message)
        if count % 5 == 0:
            assert parsed(render(story, "x")).open == []


def test_it_is_written_whole_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    write_report(RunView.read(tmp_path, "x", Story.of(synthetic_messages(3))), tmp_path / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_pretrained_start_is_said() -> None:
    page = render(Story.of([started(model="org/model-1b"), *synthetic_messages(3)[1:]]), "x")
    assert "pretrained weights of <code>org/model-1b</code>" in page
    assert "random weights" not in page.split("<h2>The charter</h2>")[0]


def test_a_parent_cannot_be_markup() -> None:
    parent = m.Parent(run="<b>run</b>", weights="", seals=True)
    page = render(Story.of([started(parent=parent)]), "x")
    assert "&lt;b&gt;run&lt;/b&gt;" in page
    assert "<b>run</b>" not in page


def test_the_default_chart_is_over_the_time_of_the_run() -> None:
    """Fault 1: it was over durations, so that all points lay in the first seconds."""
    story = Story.of(synthetic_messages(12))
    shown = render(story, "x").split('<div class="over-seconds">')[1]
    chart = shown.split('<div class="broad">')[1].split("</svg>")[0]
    places = [float(x) for x in re.findall(r'<circle cx="([\d.]+)"', chart)]
    assert len(places) >= len(story.evaluations_of("sealed"))
    assert max(places) - min(places) > 500


def test_the_last_decision_is_what_the_page_says_last() -> None:
    """Fault 6: a rejection was followed by a promotion of the champion against itself, and that was shown."""
    page = render(Story.of(synthetic_messages(12)), "x")
    assert "The last decision, in generation 12: <b>train on</b>, because the gain is +1.0 points" in page
    assert "The champion was made in generation 8." in page


def test_what_was_dropped_is_on_the_page() -> None:
    drops = [m.Dropped(generation=g, what="sequence", n=2, why="longer than <512>") for g in (2, 3)]
    first, *rest = synthetic_messages(3)
    page = render(Story.of([first, *drops, *rest]), "x")
    assert "<td>4</td><td>sequence</td><td>longer than &lt;512&gt;</td><td>2 to 3</td>" in page


def test_specimens_are_the_hardest_of_each_kind_right_and_wrong(run: RunFolder, journal: Journal) -> None:
    story = story_of(run)
    chosen = choose(journal, story)
    assert chosen == choose(journal, story)
    solved = [s for s in chosen if s.role == "solver"]
    assert [(s.cell.mode, s.good) for s in solved] == [
        (mode, good) for mode in ("abduction", "deduction", "induction") for good in (True, False)
    ]
    assert all(s.cell.level == 3 for s in solved)
    assert solved[0].prompt.endswith("f([3,1,2])==?")
    assert {s.role for s in chosen} == {"solver", "proposer"}


def test_without_success_specimens_are_the_best_and_the_worst(tmp_path: Path) -> None:
    run = synthetic_run(tmp_path / "x", generations=3, graded=True)
    with Journal.open(run.path) as journal:
        solved = [s for s in choose(journal, story_of(run)) if s.role == "solver"]
    assert {s.outcome for s in solved if s.good} == {"reward -2"}
    assert {s.outcome for s in solved if not s.good} == {"reward -9"}


def test_numbers_in_the_headline_are_those_of_the_messages() -> None:
    story = Story.of(synthetic_messages(9))
    shown = re.search(r'<div class="number"><small>([\d.]+) %</small> → ([\d.]+) %', render(story, "x"))
    assert shown is not None
    assert story.before is not None
    assert story.after is not None
    assert shown.groups() == (
        f"{100 * story.before.pass_at_1.value:.1f}",
        f"{100 * story.after.pass_at_1.value:.1f}",
    )


def test_rewards_are_not_called_successes() -> None:
    messages = synthetic_messages(9, graded=True)
    page = render(Story.of(messages), "x")
    assert "pass@1" not in page
    assert "sealed exam, reward" in page
    assert "0&nbsp;% is a reward of -10, 100&nbsp;% of 0" in page


def test_a_run_that_is_resumed_says_so() -> None:
    messages = synthetic_messages(3)
    resumed = m.RunResumed(id=10_000, from_generation=3, first=9_000, last=9_999, superseded={})
    assert "1 times" in render(Story.of([*messages, resumed]), "x")
    assert "resumed" not in render(Story.of(messages), "x")


def test_what_an_experiment_turned_is_on_the_page() -> None:
    first, *rest = synthetic_messages(2)
    assert isinstance(first, m.RunStarted)
    page = render(Story.of([replace(first, controls={"shuffle": 1.0}), *rest]), "x")
    assert "<span>shuffle <b>1.0</b></span>" in page
