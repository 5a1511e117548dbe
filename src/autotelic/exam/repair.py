"""Does reading a failure help? Repair turns against as many tokens of fresh samples.

    first turn ──► failed ─┬─► repair, repair ...        reads what its tests printed; stops when right
                           └─► sample, sample, sample    reads the task again; stops when right

Both arms start from the same failures, stop at an item once it is solved, and sample the same number of
tokens in all. What a repair reads (the failed answer and what its tests printed) is counted apart: it is read
at once, not token by token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from autotelic.errors import DomainError
from autotelic.exam.evaluate import judged
from autotelic.exam.sealed import Exam
from autotelic.protocols import Domain, Policy, Repairable
from autotelic.statistics import Comparison, compare, share
from autotelic.streams import seed_of, stream
from autotelic.types import Group, Lineage, Score, Task

TURNS = 3
"""Turns at an item, the first included: later ones repaired hardly anything."""
MOST_ROUNDS = 64
"""Fresh samples of an item at most, should they be so much shorter than repairs."""
LEVEL = 0.05
"""The p-value at which one arm counts as better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """Of `items`, `failed` at the first turn; the share of these that each arm solved, and what it sampled.

    `modes` are those with a failure that can be repaired; items of other modes are left out. `unrepairable`
    items failed with an answer that no repair can start from (it is no program); they count as not repaired.
    `comparison` is paired by item: a win is what only repair solved.
    """

    modes: tuple[str, ...]
    items: int
    failed: int
    unrepairable: int
    repaired: Score
    resampled: Score
    repair_tokens: int
    resample_tokens: int
    read_tokens: int
    comparison: Comparison

    @property
    def gain(self) -> float | None:
        """By which share repair solved more than fresh samples did: 0.15 is 15 % more. None beside
        nothing.
        """
        return self.repaired.value / self.resampled.value - 1 if self.resampled.value else None


def evaluate_repair(
    exam: Exam,
    policy: Policy,
    domain: Domain,
    *,
    turns: int = TURNS,
    first_temperature: float = 0.0,
    temperature: float = 1.0,
    seed: int,
) -> RepairReport:
    """Attempt the exam's items; then both arms on what failed, in the modes whose failures can be repaired.

    A failure is an attempt that did not pass, so a domain without success has none. Raises DomainError for a
    domain that repairs nothing, ValueError for fewer than two turns.
    """
    if turns < 2:
        raise ValueError(f"turns={turns} leaves no turn to repair in; give 2 or more")
    if not isinstance(domain, Repairable):
        raise DomainError(
            f"the {domain.spec.name} domain makes no task of a failed answer",
            "evaluate without --repair, or give the domain a method `repair`",
        )
    arms = _Arms(policy, domain, domain, temperature, seed)
    first = judged(
        domain,
        policy.attempt(exam.items, siblings=1, temperature=first_temperature, seed=seed_of(seed, "first")),
    )
    failed = [group for group in first if group.verdicts[0].passed is False and group.episodes[0].steps]
    repairable = {group.task.mode for group in failed if arms.repair_of(group, 2) is not None}
    failed = [group for group in failed if group.task.mode in repairable]
    repaired, unrepairable = arms.repair(failed, turns)
    resampled = arms.resample([group.task for group in failed])
    outcomes = [[group.task.id in solved for group in failed] for solved in (repaired, resampled)]
    return RepairReport(
        modes=tuple(dict.fromkeys(item.mode for item in exam.items if item.mode in repairable)),
        items=sum(item.mode in repairable for item in exam.items),
        failed=len(failed),
        unrepairable=unrepairable,
        repaired=share(outcomes[0]),
        resampled=share(outcomes[1]),
        repair_tokens=arms.repair_tokens,
        resample_tokens=arms.resample_tokens,
        read_tokens=arms.read_tokens,
        comparison=compare(champion=outcomes[1], candidate=outcomes[0], level=LEVEL),
    )


class _Arms:
    """The two arms, and what they have spent."""

    def __init__(
        self, policy: Policy, domain: Domain, repairs: Repairable, temperature: float, seed: int
    ) -> None:
        self.policy = policy
        self.domain = domain
        self.repairs = repairs
        self.temperature = temperature
        self.seed = seed
        self.repair_tokens = 0
        self.resample_tokens = 0
        self.read_tokens = 0

    def repair(self, failed: Sequence[Group], turns: int) -> tuple[set[str], int]:
        """The ids of the items that a later turn solved, and how many items could not be repaired at all."""
        solved: set[str] = set()
        tried: set[str] = set()
        left = list(failed)
        for turn in range(2, turns + 1):
            asked = [(group, task) for group in left if (task := self.repair_of(group, turn)) is not None]
            found = self._attempt([task for _, task in asked], f"repair {turn}")
            left = []
            for (before, _), after in zip(asked, found, strict=True):
                tried.add(before.task.id)
                self.repair_tokens += _sampled(after)
                self.read_tokens += sum(len(e.turns[0].prompt_ids) for e in after.episodes if e.turns)
                if after.verdicts[0].passed:
                    solved.add(before.task.id)
                elif after.episodes[0].steps:
                    # Of the item itself again, so that the next prompt shows its latest failure alone.
                    left.append(replace(after, task=before.task))
        return solved, len(failed) - len(tried)

    def resample(self, items: Sequence[Task]) -> set[str]:
        """The ids of the items that fresh samples solved, with as many tokens as `repair` spent.

        The sample in which the budget runs out still counts, which favours this arm by less than one sample.
        """
        solved: set[str] = set()
        for turn in range(MOST_ROUNDS):
            left = [item for item in items if item.id not in solved]
            if not left or self.resample_tokens >= self.repair_tokens:
                break
            # In another order each time: the budget ends in the middle of a round.
            order = stream(self.seed, "order", turn).permutation(len(left))
            for group in self._attempt([left[i] for i in order], f"fresh {turn}"):
                if self.resample_tokens >= self.repair_tokens:
                    break
                self.resample_tokens += _sampled(group)
                if group.verdicts[0].passed:
                    solved.add(group.task.id)
        return solved

    def repair_of(self, group: Group, turn: int) -> Task | None:
        """The task of writing the group's one attempt better; None where there is none."""
        (tried,), (verdict,) = group.episodes, group.verdicts
        lineage = Lineage(author=tried.turns[-1].weights, generation=turn, references=(group.task.id,))
        return self.repairs.repair(group.task, tried.answer, verdict, lineage)

    def _attempt(self, tasks: Sequence[Task], name: str) -> list[Group]:
        return judged(
            self.domain,
            self.policy.attempt(
                tasks, siblings=1, temperature=self.temperature, seed=seed_of(self.seed, name)
            ),
        )


def _sampled(group: Group) -> int:
    """Tokens of a group's completions."""
    return sum(len(turn.completion_ids) for episode in group.episodes for turn in episode.turns)
