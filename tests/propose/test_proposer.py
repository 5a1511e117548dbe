"""How the actor is asked for tasks, and which known ones it is shown."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autotelic.propose.proposer import propose
from autotelic.protocols import Proposable
from autotelic.references import draw_references
from autotelic.types import Cell, Observation, Proposal, Rejection, Request, Task, Turn


def task(level: int = 1, prompt: str = "p") -> Task:
    return Task(domain="d", mode="m", level=level, prompt=prompt, secret={})


class Letters:
    """Tokens that are characters."""

    def prompts(self, observations: Sequence[Observation]) -> list[tuple[int, ...]]:
        return [tuple(map(ord, str(observation))) for observation in observations]

    def decode(self, ids: Sequence[int]) -> str:
        return "".join(map(chr, ids))


class Asking:
    """A domain that asks with the cell's name and the prompts of what it shows."""

    def ask(self, cell: Cell, references: Sequence[Task]) -> str:
        return " ".join([str(cell), *(str(t.prompt) for t in references)])

    def proposal(self, task: Task) -> str:
        return str(task.prompt)

    def admit(self, proposals: Sequence[Proposal]) -> list[Task | Rejection]:
        return [Rejection(reason="none") for _ in proposals]


class Script:
    """A sampler that answers with the number of the request and of the sibling."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.calls = 0

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        self.calls += 1
        self.requests += requests
        return [
            [
                Turn(
                    prompt_ids=request.prompt_ids,
                    completion_ids=tuple(map(ord, f"{i}.{sibling}")),
                    logprobs=(-1.0,) * 3,
                    weights="w",
                    stop="eos",
                )
                for sibling in range(request.n)
            ]
            for i, request in enumerate(requests)
        ]


def proposed(
    cells: Sequence[Cell], references: Sequence[Sequence[Task]], context: int = 100
) -> tuple[list[Proposal], Script]:
    script, asking = Script(), Asking()
    assert isinstance(asking, Proposable)
    found = propose(
        script,  # type: ignore[arg-type]
        Letters(),  # type: ignore[arg-type]
        asking,
        cells,
        references,
        siblings=2,
        generation=5,
        temperature=0.8,
        max_tokens=40,
        context=context,
        seed=3,
    )
    return found, script


A, B = Cell(mode="a", level=1), Cell(mode="b", level=2)


def test_each_cell_is_asked_for_its_siblings_with_the_references_shown() -> None:
    shown = [task(1, "one"), task(1, "two")]
    found, script = proposed([A, B], [shown, []])
    assert [p.text for p in found] == ["0.0", "0.1", "1.0", "1.1"]
    assert [p.cell for p in found] == [A, A, B, B]
    assert Letters().decode(script.requests[0].prompt_ids) == "a/1 one two"
    assert found[0].lineage.references == tuple(t.id for t in shown)
    assert (found[0].lineage.author, found[0].lineage.generation) == ("w", 5)
    assert found[2].turn is not None
    assert found[2].turn.prompt_ids == script.requests[1].prompt_ids
    assert {r.temperature for r in script.requests} == {0.8}
    assert script.requests[0].seed != script.requests[1].seed


def test_no_proposal_is_longer_than_the_context_has_room_for() -> None:
    _, script = proposed([A, B], [[], [task(2, "x" * 80)]])
    assert [r.max_tokens for r in script.requests] == [40, 100 - len("b/2 ") - 80]


def test_a_question_without_room_for_an_answer_is_left_out_and_changes_no_other() -> None:
    found, script = proposed([A, B], [[task(1, "x" * 97)], []])
    assert [p.cell for p in found] == [B, B]
    alone, other = proposed([A, B], [[], []])
    assert script.requests == other.requests[1:]
    assert len(alone) == 4


def test_nothing_to_ask_asks_nobody() -> None:
    found, script = proposed([A], [[task(1, "x" * 200)]])
    assert found == []
    assert script.calls == 0


def test_references_are_of_the_level_asked_for() -> None:
    pool = [task(1), task(2)]
    cells = [Cell(mode="m", level=2), Cell(mode="m", level=3)]
    drawn = draw_references(pool, cells, 2, np.random.default_rng(0))
    assert {t.level for t in drawn[0]} == {2}
    assert drawn[1] == []
