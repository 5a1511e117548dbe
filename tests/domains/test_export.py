"""A domain of ours in other trainers: rows and rewards, episodes, and the wire of OpenEnv."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from autotelic.domains.adapters.export import Exported
from autotelic.domains.adapters.openenv_server import Conversation, application
from autotelic.domains.packing import PackingDomain
from autotelic.errors import DomainError
from autotelic.scale import scaled
from autotelic.types import Episode
from examples.thermostat import Thermostat


def test_rows_hold_no_secret_and_rewards_are_the_judges() -> None:
    domain = PackingDomain(levels=(1,))
    exported = Exported(domain)
    rows = exported.rows(4)
    assert all(set(row) == {"prompt", "task"} for row in rows)
    assert rows == Exported(PackingDomain(levels=(1,))).rows(4)
    prompts, ids = [row["prompt"] for row in rows], [row["task"] for row in rows]
    said = ["-gap", "no formula", [{"role": "assistant", "content": "-gap"}], "room"]
    rewards = exported.reward(prompts, said, task=ids, trainer_state=None)
    task = exported._task(ids[0])
    (verdict,) = domain.judge([(task, Episode(task_id=task.id, steps=(), answer="-gap"))])
    # Best fit saves no bins against best fit: 0 of a scale that reaches from -1, for no formula, to 10.
    assert rewards[0] == scaled(domain.spec.scale, verdict.reward) == pytest.approx(1 / 11)
    assert rewards[1] == 0.0
    assert rewards[2] == pytest.approx(1 / 11)
    with pytest.raises(DomainError, match="there is no task 'x'"):
        exported.reward(["?"], ["1"], task=["x"])


def test_an_episode_of_several_turns() -> None:
    environment = Exported(Thermostat()).environment()
    with pytest.raises(DomainError, match="call reset first"):
        environment.step("4")
    first = environment.reset(seed=3)
    assert environment.reset(seed=3) == first
    turns = []
    while not turns or not turns[-1][2]:
        turns.append(environment.step("4"))
    assert len(turns) == 4
    assert [reward for _, reward, _ in turns[:-1]] == [0.0] * 3
    assert 0 < turns[-1][1] <= 1
    with pytest.raises(DomainError, match="several turns"):
        Exported(Thermostat()).reward([], [], task=[])


@pytest.mark.parametrize(
    "text",
    ["", "nothing", "[]", "{}", '{"type": "fly"}', '{"type": "step"}', '{"type": "step", "data": {"message": 4}}',
     '{"type": "reset", "data": {"seed": "x"}}', '{"type": "step", "data": {"message": "4"}}', "[" * 9000],
)  # fmt: skip
def test_a_message_that_is_none_is_answered_with_an_error(text: str) -> None:
    answer = Conversation(Exported(Thermostat())).answer(text)
    assert answer is not None
    assert answer["type"] == "error"
    assert "\n" not in answer["data"]["message"]


def test_messages_of_openenv() -> None:
    conversation = Conversation(Exported(Thermostat()))

    def ask(kind: str, **data: object) -> dict[str, object]:
        answer = conversation.answer(json.dumps({"type": kind, "data": data}))
        assert answer is not None
        return answer

    shown = ask("reset", seed=1)
    assert shown["type"] == "observation"
    assert shown["data"] == {
        "observation": {"message": Exported(Thermostat()).environment().reset(1)},
        "reward": 0.0,
        "done": False,
    }
    ask("step", message="4")
    assert ask("state") == {"type": "state", "data": {"episode_id": "1", "step_count": 1}}
    assert conversation.answer('{"type": "close"}') is None


@pytest.fixture
def served() -> Iterator[str]:
    """The address of a thermostat that is served."""
    uvicorn = pytest.importorskip("uvicorn")
    pytest.importorskip("websockets")
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(application(Exported(Thermostat())), log_level="error"))
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = True
    thread.join(10)


def test_what_is_served_can_be_learned_by_our_own_client(served: str) -> None:
    from autotelic.domains.adapters.openenv import OpenEnvDomain
    from autotelic.streams import stream
    from autotelic.types import Cell

    domain = OpenEnvDomain(served)
    tasks = domain.tasks(stream(0, "tasks"), [Cell(mode="play", level=1)] * 2)
    assert [task.prompt for task in tasks] == [
        Exported(Thermostat()).environment().reset(task.secret["seed"]) for task in tasks
    ]
    sessions = domain.open(tasks, [0, 0])
    seen = [sessions.step(["4", "no digit"]) for _ in range(4)]
    assert all(one is not None and one[0] == "" for one in seen[-1])
    earned = [one[1] for one in seen[-1] if one is not None]
    assert earned[0] > earned[1]
    domain._process.close()
