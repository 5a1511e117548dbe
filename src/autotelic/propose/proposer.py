"""The actor in its other role: it is shown a cell and a few reference tasks, and writes a new task."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from autotelic.attempt.tokens import Tokens
from autotelic.protocols import Domain, Sampler
from autotelic.streams import seed_of
from autotelic.types import (
    Attempt,
    Cell,
    Experience,
    Group,
    Lineage,
    Proposal,
    Request,
    Task,
    Verdict,
)


def propose(
    sampler: Sampler,
    tokens: Tokens,
    domain: Domain,
    cells: Sequence[Cell],
    references: Sequence[Sequence[Task]],
    *,
    siblings: int = 1,
    generation: int,
    temperature: float,
    max_tokens: int,
    seed: int,
) -> list[Proposal]:
    """`siblings` proposals a cell, in order, each with its turn and lineage.

    `references[i]` are shown with `cells[i]`, once for all siblings: reading them costs more than writing a task.
    """
    prompts = tokens.prompts([domain.ask(c, shown) for c, shown in zip(cells, references, strict=True)])
    requests = [
        Request(
            prompt_ids=ids,
            n=siblings,
            max_tokens=max_tokens,
            temperature=temperature,
            seed=seed_of(seed, "propose", generation, i),
        )
        for i, ids in enumerate(prompts)
    ]
    return [
        Proposal(
            text=tokens.decode(turn.completion_ids),
            cell=cell,
            lineage=Lineage(
                author=turn.weights, generation=generation, references=tuple(t.id for t in shown)
            ),
            turn=turn,
        )
        for cell, shown, turns in zip(cells, references, sampler.sample(requests), strict=True)
        for turn in turns
    ]


def draw_references(
    pool: Sequence[Task], cells: Sequence[Cell], most: int, rng: np.random.Generator
) -> list[list[Task]]:
    """For each cell up to `most` tasks of its level, from the pool; fewer where the pool has fewer."""
    by_level: dict[int, list[Task]] = {}
    for task in pool:
        by_level.setdefault(task.level, []).append(task)
    drawn: list[list[Task]] = []
    for cell in cells:
        near = by_level.get(cell.level, [])
        count = min(most, len(near))
        drawn.append([near[int(i)] for i in rng.integers(len(near), size=count)] if count else [])
    return drawn


def learnability(passed: int, attempts: int) -> float:
    """4p(1-p), with p the mean of a Beta(1, 1) posterior; 0 where all or none passed.

    Largest for tasks solved half the time (Sukhbaatar et al. 2018; Florensa et al. 2018); a task that nobody
    or everybody solves teaches nothing.
    """
    if passed in (0, attempts):
        return 0.0
    p = (passed + 1) / (attempts + 2)
    return 4 * p * (1 - p)


def reward(group: Group, novelty: float) -> float:
    """What a valid proposal earns: learnability × novelty, so that neither can be traded for the other."""
    return learnability(sum(v.passed for v in group.verdicts), len(group.verdicts)) * novelty


def as_groups(proposals: Sequence[Proposal], verdicts: Sequence[Verdict]) -> list[Group]:
    """Sampled proposals with what they earned, one group a mode: those asked for the same are siblings."""
    members: dict[str, list[tuple[Proposal, Verdict]]] = {}
    for proposal, verdict in zip(proposals, verdicts, strict=True):
        if proposal.turn is not None:
            members.setdefault(proposal.cell.mode, []).append((proposal, verdict))
    return [
        Group(
            task=Task(
                id="", domain="", mode=mode, level=0, prompt="", secret={}, signature=""
            ),  # there is no task yet: writing one is the attempt
            attempts=tuple(Attempt(task_id="", turns=(p.turn,), answer=p.text) for p, _ in pairs if p.turn),
            verdicts=tuple(v for _, v in pairs),
            role="proposer",
        )
        for mode, pairs in sorted(members.items())
    ]


def asking(
    domain: Domain, tokens: Tokens, tasks: Sequence[Task], references: Sequence[Sequence[Task]]
) -> list[Experience]:
    """Tasks as examples of proposing: asked for this cell, with these references, this is a task."""
    prompts = tokens.prompts([domain.ask(t.cell, shown) for t, shown in zip(tasks, references, strict=True)])
    written = tokens.completions([domain.proposal(task) for task in tasks])
    return [
        Experience(
            prompt_ids=prompt,
            completion_ids=completion,
            cell=task.cell,
            author=task.lineage.author,
            role="proposer",
        )
        for task, prompt, completion in zip(tasks, prompts, written, strict=True)
    ]
