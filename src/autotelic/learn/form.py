"""The form of answers, taught without any answer: prompts paired with answers to something else.

A model from random weights writes nothing that could be judged, so reward has nothing to choose from. Pairs of
form show what an answer looks like and how its parts are distributed, and nothing of what it depends on. Where there
is an archive, further pairs have the answers that were good at other tasks of the family.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autotelic.archive import Archive, Elite, family_of
from autotelic.protocols import Demonstrating, Domain, Repairable, Shaped
from autotelic.types import Cell, Lineage, Task, Verdict

FORM = "form"
"""The key of a pair's completion in its `secret`."""


def gives_form(domain: Domain) -> bool:
    """Whether pairs of form can be had: the domain draws answers, or holds demonstrations to mix up."""
    return isinstance(domain, Shaped | Demonstrating)


def pairs(
    domain: Domain, cells: Sequence[Cell], rng: np.random.Generator, showing: float = 0.0
) -> list[Task]:
    """A pair of form for each cell, as tasks whose `secret` holds the completion; fewer where none was found.

    A `Shaped` domain draws valid answers at random; a share `showing` of the prompts shows one, to be written better.
    Otherwise each prompt gets the demonstration of another task
    of its mode that behaves otherwise, so that what is learned is the form and no solution.
    """
    tasks = domain.tasks(rng, cells)
    if isinstance(domain, Shaped):
        if showing and isinstance(domain, Repairable):
            tasks = _shown(domain, tasks, domain.answers(tasks, rng), showing)
        drawn = domain.answers(tasks, rng)
        return [_pair(task, text) for task, text in zip(tasks, drawn, strict=True) if text is not None]
    if not isinstance(domain, Demonstrating):
        return []
    found: list[Task] = []
    by_mode: dict[str, list[Task]] = defaultdict(list)
    for task in tasks:
        by_mode[task.mode].append(task)
    for mates in by_mode.values():
        shown = domain.demonstrate(mates)
        # A turn by one place in random order: everyone gets somebody else's.
        order = [int(i) for i in rng.permutation(len(mates))]
        for at, other in zip(order, order[1:] + order[:1], strict=True):
            demonstration = shown[other]
            if demonstration is not None and mates[at].signature != mates[other].signature:
                found.append(_pair(mates[at], demonstration.completion))
    return found


def _shown(
    domain: Repairable, tasks: Sequence[Task], drawn: Sequence[str | None], share: float
) -> list[Task]:
    """The tasks, the first of them with a random answer to be written better."""
    nothing = Verdict(reward=0.0, passed=False, reason="drawn")
    changed = [
        None if text is None else domain.repair(task, text, nothing, Lineage())
        for task, text in zip(tasks[: round(share * len(tasks))], drawn, strict=False)
    ]
    return [new or task for task, new in zip(tasks, changed, strict=False)] + [*tasks[len(changed) :]]


def elite_pairs(
    domain: Domain, archive: Archive, cells: Sequence[Cell], rng: np.random.Generator, generation: int
) -> list[Task]:
    """New tasks, each with an answer from the archive of its family; none for a family that has none."""
    found: list[Task] = []
    for task in domain.tasks(rng, cells):
        for elite in archive.draw(family_of(task), 1, rng):
            found.append(_pair(replace(task, lineage=_whence(elite, generation)), elite.answer))
    return found


def _whence(elite: Elite, generation: int) -> Lineage:
    return Lineage(author=elite.author, generation=generation, references=(elite.task,))


def _pair(task: Task, completion: str) -> Task:
    return replace(task, secret={FORM: completion}, id="")
