"""The actor in its other role: it is shown a cell and a few reference tasks, and writes a new task."""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.models.tokens import Tokens
from autotelic.protocols import Proposable, Sampler
from autotelic.streams import seed_of
from autotelic.types import Cell, Lineage, Proposal, Request, Task


def propose(
    sampler: Sampler,
    tokens: Tokens,
    domain: Proposable,
    cells: Sequence[Cell],
    references: Sequence[Sequence[Task]],
    *,
    siblings: int = 1,
    generation: int,
    temperature: float,
    max_tokens: int,
    context: int,
    seed: int,
) -> list[Proposal]:
    """`siblings` proposals a cell, in order, each with its turn and lineage.

    `references[i]` are shown with `cells[i]`, once for all siblings: reading them costs more than writing a
    task.
    """
    prompts = tokens.prompts([domain.ask(c, shown) for c, shown in zip(cells, references, strict=True)])
    asked = [
        (cell, shown, ids, i)
        for i, (cell, shown, ids) in enumerate(zip(cells, references, prompts, strict=True))
        if len(ids) < context
    ]
    requests = [
        Request(
            prompt_ids=ids,
            n=siblings,
            max_tokens=min(max_tokens, context - len(ids)),
            temperature=temperature,
            seed=seed_of(seed, "propose", generation, i),
        )
        for _, _, ids, i in asked
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
        for (cell, shown, _, _), turns in zip(
            asked, sampler.sample(requests) if requests else [], strict=True
        )
        for turn in turns
    ]
