"""Repairs to learn from: which tasks are drafted, and what of that is kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from autotelic.charter import Charter
from autotelic.engine.attempting import mend
from autotelic.engine.run import Run
from autotelic.types import Attempt, Group, Lineage, Request, Task, Turn, Verdict


def make(name: str, mode: str = "induction") -> Task:
    return Task(
        id=name, domain="d", mode=mode, level=1, prompt=name, secret={}, signature=name, lineage=Lineage()
    )


class Sampler:
    """Answers every request once, and remembers how many tasks it was given."""

    def __init__(self) -> None:
        self.asked = 0

    def sample(self, requests: Sequence[Request]) -> list[list[Turn]]:
        self.asked += len(requests)
        assert all(request.n == 1 for request in requests)
        return [
            [Turn(prompt_ids=r.prompt_ids, completion_ids=(1,), logprobs=(-1.0,), weights="w7", stop="eos")]
            for r in requests
        ]


def verify(groups: Sequence[Group]) -> list[Group]:
    """Every second task is failed, with something printed."""
    return [
        replace(g, verdicts=(Verdict(reward=0.0, passed=False, reason="wrong", feedback="f(1)==3"),))
        if int(g.task.id[1:]) % 2
        else replace(g, verdicts=(Verdict(reward=1.0, passed=True, reason="right"),))
        for g in groups
    ]


def run(repair_turns: int = 3, drafted: float = 0.25, sealed: Sequence[str] = ()) -> Any:
    def repair(task: Task, answer: str, verdict: Verdict, lineage: Lineage) -> Task:
        return replace(make(f"{task.id}", "repair"), prompt=verdict.feedback, lineage=lineage)

    return SimpleNamespace(
        charter=Charter.of(
            {"roles": {"repair_turns": repair_turns}, "curriculum": {"drafted": drafted}}, where="test"
        ),
        generation=5,
        sampler=Sampler(),
        tokens=SimpleNamespace(
            end_id=0,
            prompts=lambda texts: [tuple(map(ord, text)) for text in texts],
            decode=lambda ids: "an answer",
        ),
        domain=SimpleNamespace(answer=lambda mode, completion: completion, repair=repair),
        feedback=SimpleNamespace(verify=verify),
        novelty=SimpleNamespace(sealed=set(sealed)),
    )


def judged(mode: str, *, passed: bool, printed: str) -> Group:
    turn = Turn(prompt_ids=(1,), completion_ids=(2,), logprobs=(-1.0,), weights="w", stop="eos")
    attempts = (Attempt(task_id="p", turns=(turn,), answer=""),) * 2
    failed = Verdict(reward=0.0, passed=False, reason="wrong", feedback=printed)
    other = Verdict(reward=1.0, passed=True, reason="right") if passed else failed
    return Group(task=make("p", mode), attempts=attempts, verdicts=(failed, other))


FRESH = [make(f"t{i}") for i in range(40)] + [make(f"d{i}", "deduction") for i in range(40)]
READABLE = [judged("induction", passed=True, printed="f(1)==3"), judged("deduction", passed=True, printed="")]


def test_a_share_of_the_modes_that_can_be_mended_is_drafted_and_what_failed_is_kept() -> None:
    engine = run(drafted=0.5)
    tasks = mend(cast(Run, engine), FRESH, READABLE)
    assert engine.sampler.asked == 20
    assert 0 < len(tasks) < engine.sampler.asked
    assert all(task.mode == "repair" and int(task.id[1:]) % 2 and task.id[0] == "t" for task in tasks)
    assert all(task.lineage.author == "w7" and task.lineage.generation == 5 for task in tasks)


def test_nothing_is_drafted_before_the_mode_is_solved_at_times() -> None:
    engine = run()
    assert mend(cast(Run, engine), FRESH, [judged("induction", passed=False, printed="f(1)==3")]) == []
    assert engine.sampler.asked == 0


def test_a_charter_without_repairs_drafts_nothing() -> None:
    for engine in (run(repair_turns=1), run(drafted=0.0)):
        assert mend(cast(Run, engine), FRESH, READABLE) == []
        assert engine.sampler.asked == 0


def test_what_an_exam_has_sealed_is_not_learned_from() -> None:
    kept = mend(cast(Run, run()), FRESH, READABLE)
    found = mend(cast(Run, run(sealed=[kept[0].signature])), FRESH, READABLE)
    assert [task.id for task in found] == [task.id for task in kept[1:]]
