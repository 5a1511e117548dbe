"""The world `insulin-titration`: the therapy of one virtual patient is adjusted over several visits.

Research software, not medical advice.
"""

from __future__ import annotations

from collections.abc import Sequence

from autotelic.domains.insulin.course import outcomes
from autotelic.domains.insulin.domain import InsulinDomain, refused, therapy_of, verdict
from autotelic.domains.insulin.dosing import STANDARD, Therapy
from autotelic.types import Episode, Observation, Task, Verdict

VISITS = 4
"""Weekly visits of an episode. Each is judged on days of its own."""
LOWEST = -1.0


class TitrationDomain(InsulinDomain):
    """At each visit the answer is new settings, and what is shown next is how the days after it went."""

    name = "insulin-titration"
    offers = ("titration",)

    def open(self, tasks: Sequence[Task], seeds: Sequence[int]) -> Visits:
        """The visits of each task. Its days are in the task, so the seeds are not needed."""
        return Visits(self, tasks)

    def judge(self, episodes: Sequence[tuple[Task, Episode]]) -> list[Verdict]:
        """The mean reward of all visits; one that was not reached counts as the lowest."""
        return [self._whole(episode) for _, episode in episodes]

    def _whole(self, episode: Episode) -> Verdict:
        rewards = [step.reward for step in episode.steps][:VISITS]
        mean = (sum(rewards) + LOWEST * (VISITS - len(rewards))) / VISITS
        whole = len(rewards) == VISITS
        return Verdict(reward=mean, passed=None, reason="titrated" if whole else "short")


class Visits:
    """Patients side by side, a visit a turn."""

    def __init__(self, domain: TitrationDomain, tasks: Sequence[Task]) -> None:
        self._domain = domain
        self._tasks = tasks
        self._visit = 0
        self._therapies: list[Therapy] = [STANDARD] * len(tasks)

    def step(self, replies: Sequence[str | None]) -> list[tuple[Observation, float] | None]:
        """The days after each visit. A reply that sets nothing has the lowest reward, and the therapy stays."""
        self._visit += 1
        live = [at for at, reply in enumerate(replies) if reply is not None]
        read = {at: therapy_of(self._tasks[at], str(replies[at])) for at in live}
        self._therapies = [
            old if isinstance(new := read.get(at, old), str) else new
            for at, old in enumerate(self._therapies)
        ]
        tasks = [self._tasks[at] for at in live]
        lanes = [self._domain.lane(self._tasks[at], self._therapies[at], self._visit) for at in live]
        beside = self._domain.references(tasks, self._visit)
        found: list[tuple[Observation, float] | None] = [None] * len(replies)
        for at, task, course in zip(live, tasks, outcomes(lanes), strict=True):
            told = refused(str(read[at])) if isinstance(read[at], str) else verdict(course, *beside[task.id])
            last = self._visit >= VISITS
            found[at] = ("" if last else self._domain.seen(course).lstrip() + "\n", told.reward)
        return found
