"""What tests of domains do with answers: wrap them as episodes, and take demonstrations by their text."""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.protocols import Demonstrating, Domain
from autotelic.types import Episode, Task, Verdict


def judged(domain: Domain, answers: Sequence[tuple[Task, str]]) -> list[Verdict]:
    """The verdict on each answer, which is a whole episode."""
    return domain.judge([(task, Episode(task_id=task.id, steps=(), answer=text)) for task, text in answers])


def shown(domain: Demonstrating, task: Task) -> str:
    """The completion of a demonstration."""
    (found,) = domain.demonstrate([task])
    assert found is not None
    return found.completion


def learned(domain: Demonstrating, task: Task) -> list[str]:
    """The parts of the prompt that are learned beside the completion."""
    (found,) = domain.demonstrate([task])
    assert found is not None
    assert isinstance(task.prompt, str)
    return [task.prompt[start:end] for start, end in found.told]
