"""The archive among the stages: judged answers are kept, shown again, and paired with new tasks."""

from __future__ import annotations

from typing import Any

from stages.numbers_game import Scripted, run, services, state_of

from autotelic.archive import family_of
from autotelic.attempt.stage import attempt, repair
from autotelic.domains.packing import PackingDomain
from autotelic.judge.stage import judge
from autotelic.learn.form import FORM
from autotelic.learn.stage import form
from autotelic.messages import Admitted, Archived, Formed, Judged, Message, Repairing
from autotelic.streams import stream
from autotelic.types import Cell, Task

GOOD = "if(room,50,1/gap,1/2)"
CHANGES = {
    "domain.name": "packing",
    "domain.modes": ["weibull"],
    "curriculum.replay": 0.5,
    "curriculum.spread": 0.4,
    "repair.share": 0.5,
    "learn.imitation": 0.0,
    "learn.form": 0.5,
}


def settled(archives: bool = True) -> tuple[Any, Any, list[Task], list[Message]]:
    """Services, a state, tasks, and what judging attempts at them gave; half of each group writes `GOOD`."""
    domain = PackingDomain(levels=(1,), modes=("weibull",))
    given = services(
        CHANGES,
        domain=domain,
        archives=archives,
        policy=Scripted(lambda task, at: GOOD if at % 2 else "-gap"),
    )
    tasks = domain.tasks(stream(0, "t"), [Cell(mode="weibull", level=1)] * 8)
    state = state_of(given)
    (attempted,) = run(attempt(given, state, Admitted(tasks=tuple(tasks))))
    found = run(judge(given, state, attempted))
    for message in found:
        state.apply(message)
    return given, state, tasks, found


def test_what_passed_is_kept_and_shown_to_be_written_better() -> None:
    given, state, tasks, found = settled()
    archived, judged = found
    assert isinstance(archived, Archived)
    assert [one.answer for one in archived.tried] == [GOOD]
    assert [elite.answer for elite in state.archive.best(family_of(tasks[0]))] == [GOOD]
    repairing = repair(given, state, judged)
    assert isinstance(repairing, Repairing)
    assert len(repairing.tasks) == 4
    assert all(task.is_repair and str(task.prompt).endswith(f"\n{GOOD}\n") for task in repairing.tasks)
    assert not repair(given, state, Judged(purpose="repair", groups=judged.groups)).tasks


def test_half_of_the_pairs_have_an_answer_of_the_archive() -> None:
    given, state, _, _ = settled()
    formed = form(given, state)
    assert isinstance(formed, Formed)
    answers = [task.secret[FORM] for task in formed.tasks]
    assert formed.elites == answers.count(GOOD) == len(answers) // 2 == 5 * given.charter.learn.form * 4
    shown = [task for task in formed.tasks if task.is_repair]
    assert len(shown) == len(answers) // 4


def test_without_an_archive_nothing_is_kept_or_shown() -> None:
    given, state, _, found = settled(archives=False)
    assert [type(message) for message in found] == [Judged]
    assert state.archive.families == {}
    assert form(given, state).elites == 0


def test_a_task_that_an_exam_asks_is_not_shown() -> None:
    given, state, tasks, found = settled()
    state.novelty.seal([task.signature for task in tasks])
    assert repair(given, state, found[-1]).tasks == ()
