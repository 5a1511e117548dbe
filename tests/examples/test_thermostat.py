"""The examples: a room that is heated by replies, its real reward, and its success."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from autotelic.charter import Charter
from autotelic.domains import Guarded, capabilities_of, load_domain
from autotelic.protocols import Interactive
from autotelic.streams import stream
from autotelic.types import Binary, Cell, Episode, Range, Step, Task, Turn

ROOT = Path(__file__).parents[2]
TURN = Turn(prompt_ids=(1,), completion_ids=(2,), logprobs=(0.0,), weights="w", stop="eos")


@pytest.fixture(autouse=True)
def _in_the_repository(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)


def loaded(name: str) -> Guarded:
    """The domain of an example's charter."""
    charter = Charter.load(ROOT / "examples" / f"{name}.toml")
    found = load_domain(charter.domain, exam_levels=charter.exam.levels)
    assert isinstance(found, Guarded)
    return found


def room(domain: Guarded, start: int, losses: Sequence[int]) -> Task:
    secret = {"start": start, "losses": list(losses)}
    mode = domain.spec.modes[0]
    return Task(domain=domain.spec.name, mode=mode, level=1, prompt=f"{start:+d}\n", secret=secret)


def played(domain: Guarded, task: Task, replies: Sequence[str]) -> tuple[Episode, list[str]]:
    """The episode of these replies, and what was seen after each."""
    assert isinstance(domain, Interactive)
    sessions = domain.open([task], [0])
    steps: list[Step] = []
    seen: list[str] = []
    for reply in replies:
        (shown,) = sessions.step([reply])
        assert shown is not None
        steps.append(Step(turn=TURN, reply=shown[0], reward=shown[1]))
        seen.append(str(shown[0]))
    return Episode(task_id=task.id, steps=tuple(steps), answer=replies[-1]), seen


@pytest.mark.parametrize("name", ["thermostat", "thermostat_goal"])
def test_it_is_a_simulator_that_holds_no_solution(name: str) -> None:
    domain = loaded(name)
    assert capabilities_of(domain) == ("interactive",)
    tasks = domain.tasks(stream(0, "t"), [Cell(mode=domain.spec.modes[0], level=1)] * 500)
    assert len(tasks) > 400  # so that an exam leaves some to practise
    assert len({task.signature for task in tasks}) == len(tasks)
    assert domain.tasks(stream(0, "t"), [Cell(mode=domain.spec.modes[0], level=1)] * 500) == tasks


def test_a_room_is_heated_by_the_first_digit_and_loses_what_its_task_says() -> None:
    domain = loaded("thermostat")
    assert domain.spec.scale == Range(low=-10, high=0)
    episode, seen = played(domain, room(domain, -3, [1, 5, 2, 2]), ["4", "x9y1", "", "off"])
    assert seen == ["+0\n", "+4\n", "+2\n", ""]  # after the last hour there is nothing to see
    assert [step.reward for step in episode.steps] == [0.0, -4.0, -2.0, 0.0]
    (verdict,) = domain.judge([(room(domain, -3, [1, 5, 2, 2]), episode)])
    assert (verdict.reward, verdict.passed) == (-1.5, None)


def test_an_episode_that_was_cut_off_is_judged_as_if_the_rest_were_the_farthest() -> None:
    domain = loaded("thermostat")
    task = room(domain, 0, [3, 3, 3, 3])
    episode, _ = played(domain, task, ["3", "3"])
    empty = Episode(task_id=task.id, steps=(), answer="", ending="length")
    assert [v.reward for v in domain.judge([(task, episode), (task, empty)])] == [-5.0, -10.0]
    assert domain.take_dropped() == []


def test_a_room_gets_no_farther_than_the_scale() -> None:
    domain = loaded("thermostat")
    task = room(domain, 5, [1, 1, 1, 1])
    episode, _ = played(domain, task, ["9"] * 4)
    assert [step.reward for step in episode.steps] == [-10.0] * 4
    assert domain.judge([(task, episode)])[0].reward == -10.0


def test_success_is_to_end_near_the_target() -> None:
    domain = loaded("thermostat_goal")
    assert domain.spec.scale == Binary()
    task = room(domain, -5, [3, 3, 3, 3])
    near, _ = played(domain, task, ["9", "3", "3", "3"])
    far, _ = played(domain, task, ["3", "3", "3", "3"])
    early, _ = played(domain, task, ["8", "3", "3"])
    found = domain.judge([(task, episode) for episode in (near, far, early)])
    assert [(v.reward, v.passed, v.reason) for v in found] == [
        (1.0, True, "reached"),
        (0.0, False, "missed"),
        (0.0, False, "missed"),
    ]


def test_they_are_short() -> None:
    assert len((ROOT / "examples" / "thermostat.py").read_text().splitlines()) <= 100
