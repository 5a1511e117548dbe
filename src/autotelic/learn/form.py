"""The form of answers, taught without any answer: prompts paired with answers to something else.

A model from random weights writes nothing that could be judged, so reward has nothing to choose from. Pairs of
form show what an answer looks like and how its parts are distributed, and nothing of what it depends on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from autotelic.protocols import Demonstrating, Domain, Shaped
from autotelic.types import Cell, Task

FORM = "form"
"""The key of a pair's completion in its `secret`."""


def gives_form(domain: Domain) -> bool:
    """Whether pairs of form can be had: the domain draws answers, or holds demonstrations to mix up."""
    return isinstance(domain, Shaped | Demonstrating)


def pairs(domain: Domain, cells: Sequence[Cell], rng: np.random.Generator) -> list[Task]:
    """A pair of form for each cell, as tasks whose `secret` holds the completion; fewer where none was found.

    A `Shaped` domain draws valid answers at random. Otherwise each prompt gets the demonstration of another task
    of its mode that behaves otherwise, so that what is learned is the form and no solution.
    """
    tasks = domain.tasks(rng, cells)
    if isinstance(domain, Shaped):
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


def _pair(task: Task, completion: str) -> Task:
    return replace(task, secret={FORM: completion}, id="")
