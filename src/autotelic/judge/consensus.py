"""Reward for the answer that most siblings gave."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from autotelic.protocols import Comparable
from autotelic.types import Group, Verdict


@dataclass(frozen=True, slots=True)
class Consensus:
    """Reward 1 for the answer that most siblings gave (TTRL, Zuo et al. 2025, arXiv:2504.16084).

    A majority is two or more, and more than any other answer has. The domain says which answers are the same.
    """

    domain: Comparable

    def judge(self, groups: Sequence[Group]) -> list[list[Verdict]]:
        return [self._of(group) for group in groups]

    def _of(self, group: Group) -> list[Verdict]:
        spelled = [self.domain.same(group.task.mode, episode.answer) for episode in group.episodes]
        votes = Counter(answer for answer in spelled if answer).most_common(2)
        decided = bool(votes) and votes[0][1] > 1 and (len(votes) == 1 or votes[0][1] > votes[1][1])
        if not decided:
            return [_verdict(False, "undecided") for _ in spelled]
        return [
            _verdict(True, "majority") if answer == votes[0][0] else _verdict(False, "minority")
            for answer in spelled
        ]


def _verdict(passed: bool, reason: str) -> Verdict:
    return Verdict(reward=float(passed), passed=passed, reason=reason, source="consensus")
