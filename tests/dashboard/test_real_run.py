"""Every reader on the journal of a real run. The made-up one beside it can only be what its author knew."""

from __future__ import annotations

import io
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from autotelic import messages as m
from autotelic.cli import main
from autotelic.dashboard import inspect
from autotelic.dashboard.card import model_card
from autotelic.dashboard.compare import compare, draw
from autotelic.dashboard.describe import describe
from autotelic.dashboard.live import LiveView, watching
from autotelic.dashboard.page.runs import RunView
from autotelic.dashboard.plots import write_plots
from autotelic.dashboard.publish import publish, story_of
from autotelic.dashboard.report import render
from autotelic.dashboard.specimens import choose
from autotelic.dashboard.story import Story
from autotelic.dashboard.summary import summarise
from autotelic.record import Journal, RunFolder

LINKS = 20
"""Things of each kind that are looked at: enough to meet every mode, purpose and outcome."""


@pytest.fixture(scope="module")
def folder(real_run: Path) -> RunFolder:
    return RunFolder.open(real_run)


@pytest.fixture(scope="module")
def story(folder: RunFolder) -> Story:
    return story_of(folder)


@pytest.fixture
def journal(folder: RunFolder) -> Iterator[Journal]:
    with Journal.open(folder.path) as journal:
        yield journal


def some(things: Sequence[int]) -> list[int]:
    """Twenty of them at random, the same every time."""
    rng = np.random.default_rng(0)
    return [things[int(i)] for i in rng.permutation(len(things))[:LINKS]]


# ── the story, against the journal ───────────────────────────────────────────────────────────────────────


def test_the_run_has_every_kind_of_message_that_a_run_without_trouble_has(journal: Journal) -> None:
    met = {message.kind for message in journal.each_message()}
    assert set(m.BY_KIND) - met <= {
        "run.resumed",
        "run.extended",
        "dropped",
        "audited",
        "archived",
        "resampling",
        "source.cut",
        "alarmed",
        "sealed.opened",
        "sealed.looked",
    }


def test_the_story_has_all_that_the_journal_has(journal: Journal, story: Story) -> None:
    messages = journal.read()
    count = {kind: sum(x.kind == kind for x in messages) for kind in m.BY_KIND}
    assert len(story.generations) == count["generation.ended"]
    assert len(story.rulings) == count["decided"]
    assert sum(g.learned.updates for g in story.generations if g.learned) == count["updated"]
    pool = sum(isinstance(x, m.Evaluated) and x.report.exam == "pool" for x in messages)
    assert len(story.evaluations) == count["evaluated"] - pool
    assert sum(g.proposals.asked for g in story.generations) == journal.counts()["proposals"]
    assert story.stopped == "budget"
    assert story.run is not None
    assert story.run.run == journal.run


def test_the_time_of_an_exam_is_the_time_of_the_run(story: Story) -> None:
    """Fault 1, on a real journal: the last sealed exam was said to be in the first seconds."""
    assert story.after is not None
    assert story.after.seconds > 0.5 * story.seconds
    spent = [e.seconds for e in story.evaluations_of("sealed")]
    assert spent == sorted(spent)


def test_stages_account_for_the_time_of_their_generation(story: Story) -> None:
    for generation in story.generations[1:]:  # the first one's seconds have the exam before it too
        assert 0.5 * generation.seconds < sum(generation.stage_seconds.values()) <= generation.seconds + 0.05
    assert sum(story.stage_seconds.values()) <= 1.05 * story.seconds


def test_tokens_of_updates_are_those_of_the_generations(journal: Journal, story: Story) -> None:
    updates = [x for x in journal.each_message() if isinstance(x, m.Updated)]
    assert sum(x.report.tokens for x in updates) == story.tokens == sum(g.trained for g in story.generations)


def test_shares_are_shares(story: Story) -> None:
    assert story.actor_task_share is not None
    assert 0 < story.actor_task_share < 1
    for generation in story.generations:
        proposals = generation.proposals
        assert proposals.admitted <= proposals.novel <= proposals.valid <= proposals.asked
        assert sum(proposals.reasons.values()) == proposals.asked - proposals.admitted
    assert story.generations[0].actor_task_share == 0.0


def test_a_real_domain_knows_success(story: Story) -> None:
    assert story.success is True
    assert story.modes == ["deduction", "abduction", "induction"]


# ── the views ────────────────────────────────────────────────────────────────────────────────────────────


def test_the_summary(folder: RunFolder, story: Story) -> None:
    summary = summarise(story)
    json.dumps(summary, allow_nan=False)
    assert summary["sealed"]["after"]["seconds"] > 0.5 * summary["seconds"]
    assert summary["run"]
    assert summary["champion"]["weights"] == story.saved[-1].weights
    # The one in the folder was written before the run was said to be stopped, or after: the scores are one.
    assert json.loads(folder.summary.read_text())["sealed"] == summary["sealed"]


def test_the_report(folder: RunFolder, story: Story) -> None:
    page = render(RunView.read(folder.path, "real", story))
    for section in (
        "Result", "Learning curves", "By mode and level", "What it practised", "The proposer", "The critic",
        "Learning", "Where the time went", "Decisions", "Some of its work", "The charter",
    ):  # fmt: skip
        assert f"<h2>{section}</h2>" in page
    assert ">nan" not in page
    assert "None" not in page.split("<h2>The charter</h2>")[0].split("<h2>Then and now</h2>")[0]
    assert 'class="alert"' not in page


def test_the_specimens_can_be_looked_up(journal: Journal, story: Story) -> None:
    chosen = choose(journal, story)
    assert {s.role for s in chosen} == {"solver", "proposer"}
    for specimen in chosen:
        assert specimen.completion
        assert str(specimen.cell) in describe(journal, story, inspect.find(journal, story, specimen.link))


def test_the_pictures(story: Story, tmp_path: Path) -> None:
    written = write_plots(story, tmp_path, "real")
    assert [path.name for path in written] == ["curves.png", "cells.png", "curriculum.png", "stages.png"]


def test_the_card(story: Story) -> None:
    card = model_card(story, "real")
    exam = story.exam("sealed")
    assert story.run is not None
    assert exam is not None
    for fact in (story.run.start, story.run.digest, exam.digest, story.saved[-1].weights, "| induction |"):
        assert fact in card


def test_a_run_compared_with_itself(story: Story, tmp_path: Path) -> None:
    compared = compare({"a": story, "b": story})
    assert compared["note"] == ""
    assert story.after is not None
    assert compared["target"] == story.after.pass_at_1.value
    assert compared["runs"]["a"] == compared["runs"]["b"]
    assert draw({"a": story, "b": story}, tmp_path / "c.png").is_file()


@pytest.mark.parametrize("terminal", [True, False])
def test_the_live_view_of_it(journal: Journal, terminal: bool) -> None:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=100, height=40, color_system=None)
    with watching(console, "runs/real") as watch:
        for message in journal.each_message():
            watch(message)
    assert isinstance(console.file, io.StringIO)
    shown = console.file.getvalue()
    assert "cannot" not in shown
    assert ("stopped: budget" if terminal else "stop        budget") in shown


def test_the_screen_at_every_moment(journal: Journal) -> None:
    console = Console(file=io.StringIO(), width=100, height=40)
    view = LiveView("runs/real")
    for message in journal.each_message():
        view(message)
        with console.capture() as capture:
            console.print(view.render())
        assert "cannot be" not in capture.get()


def test_publishing_it_again_changes_nothing(real_run: Path, tmp_path: Path) -> None:
    shutil.copytree(real_run, tmp_path / "real", ignore=shutil.ignore_patterns("weights", "checkpoints"))
    folder = RunFolder.open(tmp_path / "real")
    summary = publish(folder)
    report = folder.report.read_bytes()
    assert publish(folder) == summary
    assert folder.report.read_bytes() == report


# ── links into it ────────────────────────────────────────────────────────────────────────────────────────


def test_every_generation(journal: Journal, story: Story) -> None:
    for generation in story.generations:
        found = inspect.find(journal, story, str(generation.number))
        json.dumps(inspect.as_json(found), allow_nan=False)
        text = describe(journal, story, found)
        for words in ("Learned", "Proposed", "Practised", "New tasks", "Attempts"):
            assert words in text


@pytest.mark.parametrize("kind", ["attempt", "proposal", "message"])
def test_twenty_of_a_kind(journal: Journal, story: Story, kind: str) -> None:
    table = {"attempt": "episodes", "proposal": "proposals", "message": "messages"}[kind]
    for number in some(range(1, journal.counts()[table] + 1)):
        found = inspect.find(journal, story, f"{kind}:{number}")
        assert str(number) in describe(journal, story, found)
        json.dumps(inspect.as_json(found), allow_nan=False)


def test_every_kind_of_message(journal: Journal, story: Story) -> None:
    for message in {x.kind: x for x in journal.each_message()}.values():
        assert message.kind in describe(journal, story, message) or isinstance(message, m.Updated | m.ExamSet)


def test_twenty_updates_and_where_their_sequences_come_from(journal: Journal, story: Story) -> None:
    """Each sequence of an update can be followed to what it was made of, and back."""
    steps = [x.step for x in journal.each_message() if isinstance(x, m.Updated)]
    kinds: set[str] = set()
    for step in some(steps):
        update = inspect.find(journal, story, f"update:{step}")
        assert isinstance(update, m.Updated)
        assert f"Update {step} " in describe(journal, story, update)
        assert len(inspect.as_json(update)["batch"]) == len(update.batch)
        for entry in update.batch[:3]:
            kinds.add(entry.kind)
            of_task = entry.kind in ("demonstration", "practice")
            kind = "task" if of_task else "proposal" if entry.kind == "proposal" else "attempt"
            text = describe(journal, story, inspect.find(journal, story, f"{kind}:{entry.ref}"))
            assert f"update:{step}, generation {update.generation}: {entry.kind}" in text or "more" in text
    assert "demonstration" in kinds


def test_twenty_tasks(journal: Journal, story: Story) -> None:
    ids = [row["id"] for row in journal.each("tasks")]
    for number in some(range(len(ids))):
        found = inspect.find(journal, story, ids[number])
        text = describe(journal, story, found)
        assert f"Task {ids[number]}" in text
        assert "What only the judge knows" in text
        json.dumps(inspect.as_json(found), allow_nan=False)


def test_a_repair_and_the_task_that_it_repairs(journal: Journal, story: Story) -> None:
    repairs = [t for x in journal.each_message() if isinstance(x, m.Repairing) for t in x.tasks]
    assert repairs
    repair = repairs[0]
    (of,) = repair.lineage.references
    assert f"It repairs an answer to: {of}" in describe(journal, story, repair)
    assert repair.id in describe(journal, story, inspect.find(journal, story, of))


def test_every_exam(journal: Journal, story: Story) -> None:
    for exam in story.exams:
        found = inspect.find(journal, story, f"exam:{exam.exam}")
        assert len(inspect.as_json(found)["items"]) == exam.items
        text = describe(journal, story, found)
        assert exam.digest in text
        assert f"{exam.items} items" in text


def test_the_commands_on_it(real_run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for what in ([], ["2"], ["update:0"], ["exam:sealed"], ["attempt:1"]):
        assert main(["inspect", str(real_run), *what]) == 0
        assert capsys.readouterr().out
    assert main(["check", str(real_run)]) == 0
    assert "what was written" in capsys.readouterr().out
