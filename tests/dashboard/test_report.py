import re
from html.parser import HTMLParser

import pytest
from synthetic_run import synthetic_events, synthetic_run

from autotelic.dashboard.publish import publish
from autotelic.dashboard.report import render, write_report
from autotelic.dashboard.specimens import choose
from autotelic.dashboard.story import Story, tell
from autotelic.record import Record

VOID = {"meta", "input", "br", "hr", "link", "img"}


class Balance(HTMLParser):
    """Follows which elements are open, and what was loaded from elsewhere."""

    def __init__(self):
        super().__init__()
        self.open, self.loaded, self.wrong, self.scripts = [], [], [], 0

    def handle_starttag(self, tag, attrs):
        self.scripts += tag == "script"
        self.loaded += [value for name, value in attrs if name in ("src", "href", "xlink:href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append(tag)


def parsed(page):
    balance = Balance()
    balance.feed(page)
    return balance


@pytest.fixture(scope="module")
def published(tmp_path_factory):
    run = synthetic_run(tmp_path_factory.mktemp("report") / "x")
    publish(run)
    return run.report.read_text()


def test_the_page_is_whole_and_needs_nothing_else(published):
    balance = parsed(published)
    assert balance.open == balance.wrong == balance.loaded == []
    assert balance.scripts == 0
    assert "url(" not in published
    assert "http" not in published


def test_the_page_answers_what_a_reader_asks():
    page = render(tell(synthetic_events(12)), "runs/x")
    for section in (
        "Result", "Learning curves", "By mode and level", "What it practised", "The proposer", "The critic",
        "Learning", "Where the time went", "Decisions", "The charter",
    ):  # fmt: skip
        assert f"<h2>{section}</h2>" in page
    assert "knew the grammar of the rules and nothing else" in page
    assert "its own exam" in page
    assert page.index("sealed exam, pass@1") < page.index("its own exam")
    assert "prefers-color-scheme: dark" in page


def test_what_humans_and_models_wrote_cannot_be_markup(published):
    assert "A &lt;synthetic&gt; charter" in published
    assert "&lt;script&gt;" in published


def test_before_anything_happened_there_is_a_page():
    page = render(Story(), "x")
    assert "has not been sat yet" in page
    assert parsed(page).wrong == []


def test_at_every_moment_of_a_run_there_is_a_page():
    events = synthetic_events(6)
    for count in range(len(events)):
        assert parsed(render(tell(events[:count]), "x")).open == []


def test_it_is_written_whole_and_leaves_nothing_beside_it(tmp_path):
    write_report(tell(synthetic_events(3)), tmp_path / "report.html", name="x")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_pretrained_start_is_said():
    story = tell(synthetic_events(3))
    story.start = {**story.start, "charter": {**story.charter, "model": {"name": "org/model-1b"}}}
    page = render(story, "x")
    assert "pretrained weights of <code>org/model-1b</code>" in page
    assert "nothing else" not in page


def test_specimens_are_the_hardest_of_each_kind_right_and_wrong(tmp_path):
    run = synthetic_run(tmp_path / "x", generations=3)
    with Record.open(run.path) as record:
        chosen = choose(record, [1, 2, 3])
        assert chosen == choose(record, [1, 2, 3])
    assert [(s.cell.mode, s.passed) for s in chosen] == [
        (mode, passed) for mode in ("abduction", "deduction", "induction") for passed in (True, False)
    ]
    assert all(s.cell.level == 3 and s.generation == 3 for s in chosen)
    assert chosen[0].prompt.endswith("f([3,1,2])==?")


def test_numbers_in_the_headline_are_those_of_the_events():
    story = tell(synthetic_events(9))
    shown = re.search(r'<div class="number"><small>([\d.]+) %</small> → ([\d.]+) %', render(story, "x"))
    assert shown.groups() == (
        f"{100 * story.before.pass_at_1.value:.1f}",
        f"{100 * story.after.pass_at_1.value:.1f}",
    )
