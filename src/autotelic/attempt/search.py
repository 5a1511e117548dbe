"""Search: many tries at one task, checked by what the task shows, and one of them handed in.

    sample ──► check ──┬─► passes ──► hand in
       ▲               └─► fails ──► read what the checks printed, write it better ─┐
       └────────────────────────────────────────────────────────────────────────────┘

A check is what the solver itself may run: the calls that an induction shows, a program that is given. What a judge
holds back is never looked at, so that a choice is worth what it would be worth without a judge. Where a task shows
nothing to check by, the answer that most samples give is handed in (self-consistency, Wang et al. 2022,
arXiv:2203.11171).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from autotelic.protocols import Checkable, Comparable, Domain, Policy, Repairable
from autotelic.streams import seed_of
from autotelic.types import Episode, Lineage, Task, Verdict

ROUND = 8
"""Samples at a task before its checks are looked at: fewer would leave the decode loop half empty."""


@dataclass(slots=True)
class Searched:
    """What a search came to: everything that was `tried`, in order, and what is handed in, `chosen`.

    `passed` is whether the choice passed every check of its own; None where the task shows nothing to check by.
    `read` counts prompt tokens of repairs, `tokens` those that were sampled.
    """

    task: Task
    tried: list[Episode] = field(default_factory=list)
    checks: list[Verdict | None] = field(default_factory=list)
    tokens: int = 0
    read: int = 0

    @property
    def samples(self) -> int:
        return len(self.tried)

    @property
    def found(self) -> list[Episode]:
        """The tries that passed every check."""
        return [
            e for e, check in zip(self.tried, self.checks, strict=True) if check is not None and check.passed
        ]

    @property
    def passed(self) -> bool | None:
        """Whether the choice passes its own checks."""
        return None if all(check is None for check in self.checks) else bool(self.found)

    def add(self, episodes: Sequence[Episode], checks: Sequence[Verdict | None]) -> None:
        """Take in tries with their checks."""
        self.tried += episodes
        self.checks += checks
        self.tokens += sum(len(turn.completion_ids) for e in episodes for turn in e.turns)

    def chosen(self, domain: Domain) -> Episode | None:
        """What is handed in: of what passed its checks, or of everything where nothing did, the answer given most
        often, and of these the one that its sampler was surest of. None where nothing was written.
        """
        among = [e for e in self.found or self.tried if e.turns]
        if not among:
            return None
        spelled = [_spelled(domain, self.task.mode, e.answer) for e in among]
        votes = Counter(text for text in spelled if text)
        best = max(range(len(among)), key=lambda at: (votes[spelled[at]], _sureness(among[at])))
        return among[best]


def search(
    policy: Policy,
    domain: Domain,
    tasks: Sequence[Task],
    *,
    budget: int,
    temperature: float,
    seed: int,
    repairs: bool = False,
) -> list[Searched]:
    """At most `budget` samples at each task, in order; a task is left once something passes its checks.

    With `repairs`, half of every round after the first reads a failure and writes it better. Raises ValueError for
    a budget below 1.
    """
    if budget < 1:
        raise ValueError(f"budget={budget} samples nothing; give 1 or more")
    found = [Searched(task) for task in tasks]
    left, spent = list(found), 0
    while left and spent < budget:
        count = min(ROUND, budget - spent)
        mending = count // 2 if repairs and spent and isinstance(domain, Repairable) else 0
        mended = _repair(policy, domain, left, mending, temperature, seed_of(seed, "repair", spent))
        fresh = policy.attempt(
            [one.task for one in left],
            siblings=count,
            temperature=temperature,
            seed=seed_of(seed, "fresh", spent),
        )
        for one, group in zip(left, fresh, strict=True):
            own = mended.get(one.task.id, [])
            _check(domain, one, [*own, *group.episodes[: count - len(own)]])
        spent += count
        left = [one for one in left if not one.found]
    return found


def _repair(
    policy: Policy, domain: Domain, left: Sequence[Searched], count: int, temperature: float, seed: int
) -> dict[str, list[Episode]]:
    """`count` rewritings of each search's latest failure that says something, by the id of its task."""
    if not count or not isinstance(domain, Repairable):
        return {}
    asked: list[tuple[Searched, Task]] = []
    for one in left:
        for episode, check in zip(reversed(one.tried), reversed(one.checks), strict=True):
            if check is not None and check.feedback and episode.turns:
                lineage = Lineage(author=episode.turns[-1].weights, references=(one.task.id,))
                task = domain.repair(one.task, episode.answer, check, lineage)
                if task is not None:
                    asked.append((one, task))
                    break
    groups = policy.attempt([task for _, task in asked], siblings=count, temperature=temperature, seed=seed)
    for (one, _), group in zip(asked, groups, strict=True):
        one.read += sum(len(e.turns[0].prompt_ids) for e in group.episodes[:1] if e.turns)
    return {one.task.id: list(group.episodes) for (one, _), group in zip(asked, groups, strict=True)}


def _check(domain: Domain, one: Searched, episodes: Sequence[Episode]) -> None:
    if isinstance(domain, Checkable):
        one.add(episodes, domain.check([(one.task, episode) for episode in episodes]))
    else:
        one.add(episodes, [None] * len(episodes))


def _spelled(domain: Domain, mode: str, answer: str) -> str:
    return domain.same(mode, answer) if isinstance(domain, Comparable) else answer


def _sureness(episode: Episode) -> float:
    """Mean log-probability of what was written, in nats a token."""
    logprobs = [p for turn in episode.turns for p in turn.logprobs]
    return sum(logprobs) / max(1, len(logprobs))
