"""Environments of other packages: found by id, played in a process, and what they do wrong said in one line."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from autotelic.domains import load_domain
from autotelic.domains.adapters.environments import ILLEGAL, WORKER, EnvironmentDomain
from autotelic.domains.adapters.gymnasium import GymnasiumDomain
from autotelic.domains.adapters.reasoning_gym import REFUSED, ReasoningGymDomain
from autotelic.domains.guard import Guarded
from autotelic.domains.processes import Process, ProcessError
from autotelic.errors import DomainError
from autotelic.streams import stream
from autotelic.types import Cell, Episode, Step, Task, Turn

PLAY = Cell(mode="play", level=1)
TURN = Turn(prompt_ids=(0,), completion_ids=(0,), logprobs=(0.0,), weights="test", stop="eos")
FAULTY = """
import random
import time

import gymnasium
from gymnasium.spaces import Box, Discrete


class Count(gymnasium.Env):
    '''Shows how many steps were taken, pays the action, ends after three.'''

    observation_space, action_space = Discrete(64), Discrete(3)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.seed, self.steps = seed, 0
        return 0, {}

    def step(self, action):
        self.steps += 1
        return self.steps, self.paid(action), self.steps == 3, False, {}

    def paid(self, action):
        return float(action)


class Raises(Count):
    def paid(self, action):
        if action == 2:
            raise RuntimeError("the second wheel fell off")
        return 1.0


class Nan(Count):
    def paid(self, action):
        return float("nan") if action == 2 else 1.0


class Hangs(Count):
    def paid(self, action):
        if action == 2:
            time.sleep(60)
        return 1.0


class Dies(Count):
    def paid(self, action):
        if action == 2:
            import os
            os._exit(7)
        return 1.0


class Other(Count):
    def paid(self, action):
        return random.random()


class Picture(Count):
    observation_space = Box(0, 255, (32, 32, 3))


class Continuous(Count):
    action_space = Box(-1, 1)


for kind in (Count, Raises, Nan, Hangs, Dies, Other, Picture, Continuous):
    gymnasium.register(f"{kind.__name__}-v0", kind)
"""


@dataclass
class Settings:
    name: str
    levels: tuple[int, int] = (1, 1)
    style: str = "compact"
    modes: tuple[str, ...] = ()


@pytest.fixture
def faulty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module with environments of our own; the working directory is looked in too."""
    pytest.importorskip("gymnasium")
    (tmp_path / "faulty_envs.py").write_text(FAULTY)
    monkeypatch.chdir(tmp_path)


# ── gymnasium ────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_environment_is_found_by_its_id_and_played(faulty: None) -> None:
    domain = load_domain(Settings("gymnasium:faulty_envs:Count-v0"))
    assert domain.spec.name == "gymnasium:faulty_envs:Count-v0"
    tasks = domain.tasks(stream(0, "tasks"), [PLAY] * 2)
    assert [task.prompt for task in tasks] == ["0\n", "0\n"]
    assert tasks[0].id != tasks[1].id
    sessions = domain.open(tasks, [0, 0])  # type: ignore[attr-defined]
    assert sessions.step(["2", "1"]) == [("1\n", 2.0), ("1\n", 1.0)]
    assert sessions.step(["1", "9"]) == [("2\n", 1.0), ("", ILLEGAL)]
    assert sessions.step(["1", None]) == [("", 1.0), None]
    played = Episode(
        task_id="t", steps=tuple(Step(turn=TURN, reward=reward) for reward in (2.0, 1.0, 1.0)), answer="1"
    )
    illegal = Episode(
        task_id="t", steps=tuple(Step(turn=TURN, reward=reward) for reward in (1.0, ILLEGAL)), answer="9"
    )
    verdicts = domain.judge([(tasks[0], played), (tasks[1], illegal)])
    assert [(v.reward, v.reason) for v in verdicts] == [(pytest.approx(0.8), "played"), (-1.0, "illegal")]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Raises-v0", "RuntimeError: the second wheel fell off"),
        ("Nan-v0", "ValueError: its reward is nan"),
        ("Hangs-v0", "did not answer within"),
        ("Dies-v0", "ended with the status 7"),
    ],
)
def test_an_environment_that_fails_ends_its_own_episode_and_no_other(
    faulty: None, name: str, said: str
) -> None:
    domain = _unprobed(name)
    held = Guarded(domain)
    tasks = held.tasks(stream(0, "tasks"), [PLAY] * 3)
    sessions = held.open(tasks, [0, 0, 0])  # type: ignore[attr-defined]
    assert sessions.step(["1", "1", "0"]) == [("1\n", 1.0)] * 3
    assert sessions.step(["1", "2", "0"]) == [("2\n", 1.0), None, ("2\n", 1.0)]
    assert sessions.failed == {1}
    assert sessions.step(["1", None, "0"]) == [("", 1.0), None, ("", 1.0)]
    ((what, n, why),) = held.take_dropped()
    assert (what, n) == ("episode", 1)
    assert said in why
    assert "\n" not in why


def _unprobed(name: str) -> GymnasiumDomain:
    """An environment that only fails at the action 2, which the probe must not play."""
    domain = object.__new__(GymnasiumDomain)
    source = WORKER.read_text().replace("PROBED = 12", "PROBED = 0")
    own = Path("worker_without_probe.py").resolve()
    own.write_text(source)
    EnvironmentDomain.__init__(domain, "gymnasium", f"faulty_envs:{name}", fix="", worker=own, seconds=3.0)
    return domain


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("Other-v0", "with the same seed it showed other things the second time"),
        ("Raises-v0", "RuntimeError: the second wheel fell off"),
        ("Picture-v0", "it shows 3072 numbers at once, and 64 is the most"),
        ("Continuous-v0", "only discrete ones can be answered with"),
        ("Coun-v0", "there is no environment 'faulty_envs:Coun-v0'; did you mean faulty_envs:Count-v0?"),
    ],
)
def test_an_environment_that_cannot_be_used_is_refused_before_a_run(
    faulty: None, name: str, said: str
) -> None:
    with pytest.raises(DomainError) as raised:
        load_domain(Settings(f"gymnasium:faulty_envs:{name}"))
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_ids_that_do_not_exist() -> None:
    pytest.importorskip("gymnasium")
    pytest.importorskip("reasoning_gym")
    with pytest.raises(DomainError, match=r"no environment 'FrozenLak-v1'; did you mean FrozenLake-v1\?"):
        load_domain(Settings("gymnasium:FrozenLak-v1"))
    with pytest.raises(DomainError, match=r"no data set 'chain_sums'; did you mean 'chain_sum'\?"):
        load_domain(Settings("reasoning-gym:chain_sums"))
    with pytest.raises(DomainError, match=r"did you mean 'gymnasium:FrozenLake-v1'\?"):
        load_domain(Settings("gymnasim:FrozenLake-v1"))


@pytest.mark.parametrize("kind", ["gymnasium", "openenv", "verifiers"])
def test_a_missing_package_is_one_line(kind: str) -> None:
    process = Process(
        [sys.executable, "-S", "-P", str(WORKER), kind, "x"], name=kind, fix="do this", seconds=5
    )
    with pytest.raises(DomainError, match=r"cannot be used: \w+ is not installed; do this"):
        process.ask({"op": "options"})


# ── processes ────────────────────────────────────────────────────────────────────────────────────────────────

ECHO = """
import json, sys, time
print(json.dumps({"ok": "ready"}), flush=True)
for line in sys.stdin:
    asked = json.loads(line)
    if asked == {"op": "sleep"}:
        time.sleep(60)
    print("no json" if asked == {"op": "noise"} else json.dumps({"ok": asked}), flush=True)
"""


def test_a_process_that_hung_is_ended_and_started_again() -> None:
    process = Process([sys.executable, "-c", ECHO], name="echo", fix="", seconds=0.5)
    assert process.ask({"op": "a"}) == {"op": "a"}
    with pytest.raises(ProcessError, match=r"echo did not answer within 0.5 s"):
        process.ask({"op": "sleep"})
    process._seconds = 30
    assert process.ask({"op": "b"}) == {"op": "b"}
    with pytest.raises(ProcessError, match="said what is no JSON"):
        process.ask({"op": "noise"})
    process.close()


# ── reasoning-gym ────────────────────────────────────────────────────────────────────────────────────────────


def answered(domain: ReasoningGymDomain, task: Task, answer: str) -> tuple[float, str]:
    (verdict,) = domain.judge([(task, Episode(task_id=task.id, steps=(), answer=answer))])
    return verdict.reward, verdict.reason


def test_questions_are_the_packages_own_and_so_are_rewards() -> None:
    pytest.importorskip("reasoning_gym")
    domain = ReasoningGymDomain("chain_sum, prime_factorization", levels=(1, 2))
    assert domain.spec.modes == ("chain_sum", "prime_factorization")
    tasks = domain.tasks(stream(0, "tasks"), list(domain.spec.cells) * 2)
    assert [t.id for t in domain.tasks(stream(0, "tasks"), list(domain.spec.cells) * 2)] == [
        t.id for t in tasks
    ]
    for task, shown in zip(tasks, domain.demonstrate(tasks), strict=True):
        assert shown is not None
        assert answered(domain, task, shown.completion) == (1.0, "right")
        assert answered(domain, task, "") == (0.0, "unreadable")
        assert answered(domain, task, "9" * 9000) == (0.0, "unreadable")
        assert answered(domain, task, "no number")[0] < 0.05  # scoring of factors raises on this
    assert domain.answer("chain_sum", "so <answer>12</answer>") == "12"


def test_levels_follow_the_curriculum() -> None:
    pytest.importorskip("reasoning_gym")
    domain = ReasoningGymDomain("chain_sum", levels=(1, 4))
    low, high = (
        domain.tasks(stream(0, "levels"), [Cell(mode="chain_sum", level=level)] * 8) for level in (1, 4)
    )
    assert max(len(str(task.prompt)) for task in low) < min(len(str(task.prompt)) for task in high)


@pytest.mark.parametrize("name", ["countdown", "list_functions", "game_of_life_halting", "knight_swap"])
def test_data_sets_that_are_no_good_are_refused_with_the_reason(name: str) -> None:
    pytest.importorskip("reasoning_gym")
    with pytest.raises(DomainError) as raised:
        load_domain(Settings(f"reasoning-gym:chain_sum,{name}"))
    assert REFUSED[name] in str(raised.value)


def test_no_data_set_that_is_offered_evaluates_answers() -> None:
    """What calls `eval` or sympy's `parse_expr`, which evaluates, on an answer is refused."""
    package = pytest.importorskip("reasoning_gym")
    import inspect
    import re

    found = set()
    for name, (kind, _) in package.factory.DATASETS.items():
        scoring = inspect.getsource(kind.score_answer)
        if re.search(r"(?<!literal_)\beval\(answer|parse_expr\(answer", scoring):
            found.add(name)
    assert len(found) > 5
    assert found <= set(REFUSED)
