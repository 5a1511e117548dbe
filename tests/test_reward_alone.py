"""With reward alone no demonstration is learned from: the journal of a run says so, sequence by sequence."""

from __future__ import annotations

from pathlib import Path

import pytest

from autotelic import loop
from autotelic.charter import Charter
from autotelic.engine.replay import replay
from autotelic.engine.services import Controls
from autotelic.machine import Machine
from autotelic.messages import Formed, Judged, Lesson, Updated
from autotelic.record import Journal

ROOT = Path(__file__).parent.parent
SMALLER = {
    "curriculum.tasks_per_generation": 48,
    "curriculum.probe_tasks": 24,
    "curriculum.group_size": 4,
    "learn.form_generations": 1,
    "search.samples": 8,
    "exam.items_per_cell": 8,
    "exam.samples": 2,
    "exam.every": 2,
    "budget.seconds": 0.0,
    "budget.generations": 4,
}


def run(folder: Path, controls: Controls | None = None) -> Path:
    charter = Charter.load(ROOT / "recipes" / "reward-alone.toml").replace(SMALLER)
    start = ROOT / "champions" / "tiny"  # so that there are right answers within seconds
    loop.run(charter, folder, machine=Machine(threads=1), start_from=start, controls=controls)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return run(tmp_path_factory.mktemp("reward") / "alone")


def test_no_demonstration_of_any_task_was_learned_from(folder: Path) -> None:
    with Journal.open(folder) as journal:
        formed = {task.id: task for m in journal.read() if isinstance(m, Formed) for task in m.tasks}
        passed = {
            episode.id
            for m in journal.read()
            if isinstance(m, Judged)
            for group in m.groups
            for episode, verdict in zip(group.episodes, group.verdicts, strict=True)
            if verdict.passed
        }
        entries = [e for m in journal.read() if isinstance(m, Updated) for e in m.batch]
        lessons = [m for m in journal.read() if isinstance(m, Lesson)]
    assert {entry.kind for entry in entries} == {"own", "attempt", "form"}
    assert all(set(formed[entry.ref].secret) == {"form"} for entry in entries if entry.kind == "form")
    assert all(int(entry.ref) in passed for entry in entries if entry.kind == "own")
    assert lessons[0].shares == {"form": 1.0}
    assert any("own" in lesson.shares for lesson in lessons[1:])
    assert all(sum(lesson.shares.values()) == pytest.approx(1.0) for lesson in lessons)


def test_pairs_of_form_are_wrong_answers(folder: Path) -> None:
    """Nobody's prompt is paired with a program that solves it: what is learned is the form."""
    from contextlib import ExitStack

    from autotelic.engine.services import open_world
    from autotelic.types import Episode

    charter = Charter.load(ROOT / "recipes" / "reward-alone.toml").replace(SMALLER)
    with Journal.open(folder) as journal, ExitStack() as resources:
        pairs = [task for m in journal.read() if isinstance(m, Formed) for task in m.tasks]
        domain = open_world(charter, Machine(), resources).domain
        calls = [str(pair.prompt).removeprefix("<|induction|>") for pair in pairs]
        posed = [domain.pose(text) for text in calls]  # type: ignore[attr-defined]
        answers = [Episode(task_id="", steps=(), answer=str(pair.secret["form"])) for pair in pairs]
        verdicts = domain.judge(list(zip(posed, answers, strict=True)))
    assert len(verdicts) >= 48
    assert sum(bool(v.passed) for v in verdicts) <= len(verdicts) // 20


def test_an_update_of_reward_alone_is_computed_again(folder: Path) -> None:
    with Journal.open(folder) as journal:
        steps = [m.step for m in journal.read() if isinstance(m, Updated)]
    assert replay(folder, steps[-1]).same


def test_shuffled_early_nothing_that_is_imitated_follows_from_a_verdict(tmp_path: Path) -> None:
    """In the control own answers are imitated by the shuffled verdict, so that many of them are wrong."""
    found = run(tmp_path / "shuffled", Controls(shuffle=1.0, early=True))
    with Journal.open(found) as journal:
        told = [(e.id, v.passed, v.reason) for m in journal.read() if isinstance(m, Judged)
                for g in m.groups for e, v in zip(g.episodes, g.verdicts, strict=True)]  # fmt: skip
        by_answer: dict[tuple[str, str], set[bool]] = {}
        for m in journal.read():
            for g in m.groups if isinstance(m, Judged) else ():
                for e, v in zip(g.episodes, g.verdicts, strict=True):
                    by_answer.setdefault((g.task.id, e.answer), set()).add(bool(v.passed))
    assert any(passed for _, passed, _ in told)
    assert any(len(said) == 2 for said in by_answer.values()), "the same answer once right, once wrong"
