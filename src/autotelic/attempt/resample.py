"""Dynamic sampling: tasks whose attempts all fared alike are replaced, within a bound (DAPO, Yu et al. 2025,
arXiv:2503.14476, section 3.2).

DAPO draws new prompts until its batch is full of groups with variance. Here new tasks of the generation come
first, and when there are no more, those that were flat are attempted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from numpy.random import Generator

from autotelic.messages import Admitted, Judged, Resampling
from autotelic.scale import differ
from autotelic.streams import stream
from autotelic.types import Task

if TYPE_CHECKING:
    from autotelic.engine.services import Services
    from autotelic.state import State


def resample(services: Services, state: State, admitted: Admitted, judged: Sequence[Judged]) -> Resampling:
    """As many tasks as groups are missing, of those asked for in the first round; none where none is, or
    where the algorithm has no more rounds.

    `judged` are the rounds so far.
    """
    done = len(judged)
    groups = [group for message in judged for group in message.groups]
    missing = len(judged[0].groups) - sum(differ(group.rewards) for group in groups)
    if done > services.charter.learn.parts.rounds or missing <= 0:
        return Resampling(round=done)
    rng = stream(services.charter.seed, "resample", state.generation, done)
    tried = {group.task.id for group in groups}
    fresh = [task for task in admitted.tasks if task.id not in tried]
    solved = {group.task.id for group in groups if differ(group.rewards)}
    again = list({g.task.id: g.task for g in groups if g.task.id not in solved}.values())
    return Resampling(round=done, tasks=tuple([*_shuffled(fresh, rng), *_shuffled(again, rng)][:missing]))


def _shuffled(tasks: Sequence[Task], rng: Generator) -> list[Task]:
    return [tasks[int(i)] for i in rng.permutation(len(tasks))]
