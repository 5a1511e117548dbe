"""Does reading a failure help? Repair turns against as many tokens of fresh samples.

    first turn ──► failed ─┬─► repair, repair ...        reads what its tests printed; stops when right
                           └─► sample, sample, sample    reads the task again; stops when right

Both arms start from the same failures, stop at an item once it is solved, and sample the same number of tokens
in all. What a repair reads (the failed program and what it printed) is counted apart: it is read at once, not
token by token.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.exam.sealed import Exam
from autotelic.exam.sitting import Examinee
from autotelic.exam.statistics import Comparison, compare, share
from autotelic.streams import seed_of, stream
from autotelic.types import Group, Lineage, Score, Task

MOST_ROUNDS = 64
"""Fresh samples of an item at most, should they be so much shorter than repairs."""
LEVEL = 0.05
"""The p-value at which one arm counts as better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RepairReport:
    """Of `items`, `failed` at the first turn; the share of these that each arm solved, and what it sampled.

    `unmendable` items failed with an answer that no repair can start from (it is no program); they count as
    not repaired. `comparison` is paired by item: a win is what only repair solved.
    """

    items: int
    failed: int
    unmendable: int
    repaired: Score
    resampled: Score
    repair_tokens: int
    resample_tokens: int
    read_tokens: int
    comparison: Comparison

    @property
    def gain(self) -> float | None:
        """By which share repair solved more than fresh samples did: 0.15 is 15 % more. None beside nothing."""
        return self.repaired.value / self.resampled.value - 1 if self.resampled.value else None


def sit_repair(
    exam: Exam,
    examinee: Examinee,
    *,
    turns: int = 3,
    mode: str = "induction",
    first_temperature: float = 0.0,
    temperature: float = 0.7,
    max_tokens: int,
    seed: int,
) -> RepairReport:
    """Attempt the exam's items of one mode, then mend what failed in turns 2 to `turns`, or sample afresh.

    `first_temperature` 0 makes the first turn greedy. Raises ValueError for fewer than two turns.
    """
    if turns < 2:
        raise ValueError(f"turns={turns} leaves no turn to repair in; give 2 or more")
    items = [item for item in exam.items if item.mode == mode]
    first = examinee.attempt(
        items, siblings=1, temperature=first_temperature, max_tokens=max_tokens, seed=seed_of(seed, "first")
    )
    failed = [group for group in first if not group.verdicts[0].passed]
    arms = _Arms(examinee, temperature, max_tokens, seed)
    repaired, unmendable = arms.repair(failed, turns)
    resampled = arms.resample([group.task for group in failed])
    outcomes = [[group.task.id in solved for group in failed] for solved in (repaired, resampled)]
    return RepairReport(
        items=len(items),
        failed=len(failed),
        unmendable=unmendable,
        repaired=share(outcomes[0]),
        resampled=share(outcomes[1]),
        repair_tokens=arms.repair_tokens,
        resample_tokens=arms.resample_tokens,
        read_tokens=arms.read_tokens,
        comparison=compare(champion=outcomes[1], candidate=outcomes[0], level=LEVEL),
    )


class _Arms:
    """The two arms, and what they have spent."""

    def __init__(self, examinee: Examinee, temperature: float, max_tokens: int, seed: int) -> None:
        self.examinee = examinee
        self.temperature = temperature
        self.max_tokens = max_tokens
        self.seed = seed
        self.repair_tokens = 0
        self.resample_tokens = 0
        self.read_tokens = 0

    def repair(self, failed: Sequence[Group], turns: int) -> tuple[set[str], int]:
        """The ids of the items that a later turn solved, and how many items could not be mended at all."""
        solved: set[str] = set()
        mended: set[str] = set()
        left = list(failed)
        for turn in range(2, turns + 1):
            asked = [(group, mend) for group in left if (mend := self._mend(group, turn)) is not None]
            tried = self._attempt([mend for _, mend in asked], f"repair {turn}")
            left = []
            for (before, _), after in zip(asked, tried, strict=True):
                item = before.task
                mended.add(item.id)
                self.repair_tokens += _sampled(after)
                self.read_tokens += len(after.attempts[0].turns[0].prompt_ids)
                if after.verdicts[0].passed:
                    solved.add(item.id)
                else:
                    # Of the item itself again, so that the next prompt shows its latest failure alone.
                    left.append(Group(task=item, attempts=after.attempts, verdicts=after.verdicts))
        return solved, len(failed) - len(mended)

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

    def _mend(self, group: Group, turn: int) -> Task | None:
        """The task of mending the group's one attempt."""
        (tried,), (verdict,) = group.attempts, group.verdicts
        lineage = Lineage(author=tried.turns[-1].weights, generation=turn, references=(group.task.id,))
        return self.examinee.domain.repair(group.task, tried.answer, verdict, lineage)

    def _attempt(self, tasks: Sequence[Task], name: str) -> list[Group]:
        return self.examinee.attempt(
            tasks,
            siblings=1,
            temperature=self.temperature,
            max_tokens=self.max_tokens,
            seed=seed_of(self.seed, name),
        )


def _sampled(group: Group) -> int:
    """Tokens of a group's completions."""
    return sum(len(turn.completion_ids) for attempt in group.attempts for turn in attempt.turns)
