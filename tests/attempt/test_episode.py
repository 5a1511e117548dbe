"""Attempts and repairs with a scripted sampler: ids as sampled, seeds by task, one repair a group."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autotelic.attempt.episode import attempt, repairs
from autotelic.types import Attempt, Group, Lineage, Request, Task, Turn, Verdict


class Letters:
    """A tokenizer for tests: a letter is its code point, 0 ends."""

    end_id = 0

    def encode(self, texts: Sequence[str]) -> list[tuple[int, ...]]:
        return [tuple(map(ord, text)) for text in texts]

    prompts = encode

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(chr(i) for i in ids if i)


class Script:
    """A sampler that answers `n` times with the prompt turned round, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        self.asked += requests
        return [[self._turn(request)] * request.n for request in requests]

    def load(self, weights: object) -> str:
        return "script"

    def _turn(self, request: Request) -> Turn:
        ids = (*reversed(request.prompt_ids), 0)
        return Turn(
            prompt_ids=request.prompt_ids,
            completion_ids=ids,
            logprobs=(-0.5,) * len(ids),
            weights="script",
            stop="eos",
        )


class Mending:
    """As much of a domain as is needed: an answer is a completion's last letter; repairs name what failed."""

    def answer(self, mode: str, completion: str) -> str:
        return completion[-1]

    def repair(self, task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task:
        return make(f"{task.id}/{answer}", lineage)


def make(name: str, lineage: Lineage | None = None) -> Task:
    return Task(
        id=name,
        domain="d",
        mode="m",
        level=1,
        prompt=name,
        secret={},
        signature=name,
        lineage=lineage or Lineage(),
    )


def tried(name: str, outcomes: Sequence[tuple[bool, str]]) -> Group:
    turn = Turn(prompt_ids=(1,), completion_ids=(2,), logprobs=(-1.0,), weights="w", stop="eos")
    return Group(
        task=make(name),
        attempts=tuple(Attempt(task_id=name, turns=(turn,), answer=str(i)) for i in range(len(outcomes))),
        verdicts=tuple(
            Verdict(reward=float(ok), passed=ok, reason="", feedback=text) for ok, text in outcomes
        ),
    )


def ask(sampler: Script, names: Sequence[str], seed: int) -> list[Group]:
    tokens: Any = Letters()
    domain: Any = Mending()
    return attempt(
        sampler,
        tokens,
        domain,
        [make(name) for name in names],
        siblings=3,
        temperature=1.0,
        max_tokens=5,
        seed=seed,
    )


def test_a_group_holds_its_siblings_with_ids_as_they_were_sampled() -> None:
    groups = ask(Script(), ["abc", "xy"], seed=7)
    assert [len(group.attempts) for group in groups] == [3, 3]
    first = groups[0].attempts[0]
    assert first.answer == "a"
    assert first.turns[0].completion_ids == (*map(ord, "cba"), 0)
    assert groups[0].verdicts == ()


def test_what_is_sampled_at_a_task_does_not_depend_on_its_company() -> None:
    together, alone = Script(), Script()
    ask(together, ["abc", "xy"], seed=7)
    ask(alone, ["xy"], seed=7)
    assert together.asked[1] == alone.asked[0]
    other = Script()
    ask(other, ["xy"], seed=8)
    assert other.asked[0].seed != alone.asked[0].seed


def test_a_group_leaves_one_repair_from_its_first_failure_that_can_be_read() -> None:
    domain: Any = Mending()
    groups = [
        tried("a", [(True, ""), (False, "printed"), (False, "printed")]),
        tried("b", [(False, "")]),
        tried("c", [(False, "printed")]),
    ]
    found = repairs(domain, groups, generation=4, most=10)
    assert [task.id for task in found] == ["a/1", "c/0"]
    assert found[0].lineage == Lineage(author="w", generation=4, references=("a",))
    assert len(repairs(domain, groups, generation=4, most=1)) == 1
