"""Is the answer right? What the domains of programs have in common in judging."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from autotelic.domains.programs.execution import Ask, Executor, Outcome, P
from autotelic.types import Episode, Task, Verdict

RIGHT = Verdict(reward=1.0, passed=True, reason="right")
R = TypeVar("R")
"""What reading an answer gives: what is needed beside the outcome, to decide."""
Pending = tuple[R, Ask[P]]


def wrong(reason: str, feedback: str = "") -> Verdict:
    """No partial credit: a share of the pairs passed can be had without understanding any of them."""
    return Verdict(reward=0.0, passed=False, reason=reason, feedback=feedback)


def judge(
    executor: Executor[P],
    episodes: Sequence[tuple[Task, Episode]],
    read: Callable[[Task, str], Verdict | Pending[R, P]],
    decide: Callable[[Task, R, Outcome], Verdict],
) -> list[Verdict]:
    """One verdict an answer, in order. Siblings that answer alike are judged once, and all runs are one
    batch.

    `read` gives the verdict where reading is enough, or what has to be run for it; `decide` is asked after
    the run.
    """
    keys = [(task.id, episode.answer) for task, episode in episodes]
    distinct = {key: task for key, (task, _) in zip(keys, episodes, strict=True)}
    verdicts: dict[tuple[str, str], Verdict] = {}
    pending: dict[tuple[str, str], Pending[R, P]] = {}
    for key, task in distinct.items():
        found = read(task, key[1])
        if isinstance(found, Verdict):
            verdicts[key] = found
        else:
            pending[key] = found
    outcomes = executor.run([ask for _, ask in pending.values()])
    for (key, (known, _)), outcome in zip(pending.items(), outcomes, strict=True):
        verdicts[key] = decide(distinct[key], known, outcome)
    return [verdicts[key] for key in keys]
