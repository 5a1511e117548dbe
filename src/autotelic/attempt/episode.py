"""Attempting: tasks to groups of siblings, and failures to the repairs that follow from them."""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.attempt.tokens import Tokens
from autotelic.protocols import Domain, Sampler
from autotelic.streams import seed_of
from autotelic.types import Attempt, Group, Lineage, Request, Task


def attempt(
    sampler: Sampler,
    tokens: Tokens,
    domain: Domain,
    tasks: Sequence[Task],
    *,
    siblings: int,
    temperature: float,
    max_tokens: int,
    seed: int,
) -> list[Group]:
    """`siblings` attempts at each task, not yet judged: every group's `verdicts` are empty.

    A sibling's randomness is named by the seed and the task, so an attempt does not depend on its company.
    """
    prompts = tokens.prompts([task.prompt for task in tasks])
    requests = [
        Request(
            prompt_ids=ids,
            n=siblings,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed_of(seed, "attempt", task.id),
        )
        for task, ids in zip(tasks, prompts, strict=True)
    ]
    return [
        Group(
            task=task,
            attempts=tuple(
                Attempt(
                    task_id=task.id,
                    turns=(turn,),
                    answer=domain.answer(task.mode, tokens.decode(turn.completion_ids)),
                )
                for turn in turns
            ),
            verdicts=(),
        )
        for task, turns in zip(tasks, sampler.sample(requests), strict=True)
    ]


def repairs(domain: Domain, groups: Sequence[Group], *, generation: int, most: int) -> list[Task]:
    """The tasks that failed attempts leave behind: the program, what its tests printed, write a better one.

    One a group, from its first attempt that failed with something to read; at most `most`.
    """
    found: list[Task] = []
    for group in groups:
        for tried, verdict in zip(group.attempts, group.verdicts, strict=True):
            if verdict.passed or not verdict.feedback:
                continue
            lineage = Lineage(
                author=tried.turns[-1].weights, generation=generation, references=(group.task.id,)
            )
            task = domain.repair(group.task, tried.answer, verdict, lineage)
            if task is not None:
                found.append(task)
                break
        if len(found) == most:
            break
    return found
