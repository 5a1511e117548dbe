"""Siblings share their task, so the critic reads it once.

    ids      prompt prompt prompt | first attempt ... | second attempt ... |
    position 0      1      2      | 3  4  5 ...       | 3  4 ...           |     one family
    branch   0      0      0      | 1  1  1           | 2  2               |

A token sees what precedes it in its family's prompt and in its own branch. Read so, eight attempts cost their
completions and one prompt instead of eight. Families are then packed side by side into rows, as in
`learn/pack.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
import torch
from torch import Tensor

from autotelic.models.mask import family_mask
from autotelic.types import Attempt, Group

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

WIDTH = 192
"""Tokens in a row, unless one episode is longer: room for a family, while attention stays a small share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """A prompt of `prompt` tokens, then one branch an attempt. Arrays are [T] tokens or [A] attempts.

    `logprob` is the sampler's log-probability where the token was `sampled`, and 0 where it was given. `ends`
    is the place of each branch's last token; `passed` is 1, 0, or nan where it is not known.
    """

    ids: Ints
    logprob: Floats
    sampled: Floats
    prompt: int
    ends: Ints
    passed: Floats

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> Ints:
        """Tokens of each branch. [A]."""
        return np.diff(self.ends, prepend=self.prompt - 1)

    def certainty(self) -> Floats:
        """How sure the sampler has been so far, in its branch: sum, mean, least log-probability. [T, 3].

        0 on the prompt.
        """
        whole = np.zeros((len(self), 3), np.float32)
        for end, length in zip(self.ends.tolist(), self.lengths.tolist(), strict=True):
            span = slice(end + 1 - length, end + 1)
            total = np.cumsum(self.logprob[span])
            whole[span, 0] = total
            whole[span, 1] = total / np.maximum(1.0, np.cumsum(self.sampled[span]))
            whole[span, 2] = np.minimum.accumulate(self.logprob[span])
        return whole


def families_of(
    groups: Iterable[Group], passed: Iterable[Sequence[float]], context: int, width: int = WIDTH
) -> list[Family]:
    """The attempts of these groups, in order, in families of at most `width` tokens where one episode fits.

    Raises ValueError for an attempt without turns, or longer than the `context`.
    """
    families: list[Family] = []
    for group, outcomes in zip(groups, passed, strict=True):
        pairs = zip(group.attempts, outcomes, strict=True)
        for prompt, members in groupby(pairs, key=lambda pair: _prompt(pair[0])):
            branches = [(_branch(attempt, len(prompt), context), outcome) for attempt, outcome in members]
            for few in _fitting(branches, len(prompt), width):
                families.append(_family(prompt, few))
    return families


def prompts_of(groups: Iterable[Group]) -> list[Family]:
    """What each group was asked, without any attempt: a family of no branches for each group."""
    return [_family(_prompt(group.attempts[0]), []) for group in groups]


Branch = tuple[Ints, Floats, Floats]
"""Ids, log-probabilities, and which were sampled; each [L]."""


def _prompt(attempt: Attempt) -> tuple[int, ...]:
    if not attempt.turns:
        raise ValueError(
            f"an attempt at task {attempt.task_id} has no turns; the critic reads what was sampled"
        )
    return attempt.turns[0].prompt_ids


def _branch(attempt: Attempt, prompt: int, context: int) -> Branch:
    """All that followed the first prompt: a later turn's prompt begins with the earlier turns."""
    last = attempt.turns[-1]
    ids = np.array(last.prompt_ids[prompt:] + last.completion_ids, dtype=np.int64)
    if prompt + len(ids) > context or not len(ids):
        raise ValueError(
            f"an attempt at task {attempt.task_id} is {prompt} + {len(ids)} tokens; the critic reads at "
            f"least 1 after the prompt and {context} in all, so give it the context of the actor"
        )
    logprob, sampled = np.zeros(len(ids), np.float32), np.zeros(len(ids), np.float32)
    for turn in attempt.turns:
        start = len(turn.prompt_ids) - prompt
        span = slice(start, start + len(turn.completion_ids))
        logprob[span] = turn.logprobs
        sampled[span] = 1.0
    if not np.isfinite(logprob).all():
        raise ValueError(
            f"an attempt at task {attempt.task_id} has log-probabilities that are not finite; "
            "the sampler's weights have diverged"
        )
    return ids, logprob, sampled


def _fitting(
    branches: list[tuple[Branch, float]], prompt: int, width: int
) -> Iterator[list[tuple[Branch, float]]]:
    """Cut where the next branch would make the family wider than `width`."""
    few: list[tuple[Branch, float]] = []
    filled = prompt
    for branch, outcome in branches:
        if few and filled + len(branch[0]) > width:
            yield few
            few, filled = [], prompt
        few.append((branch, outcome))
        filled += len(branch[0])
    yield few


def _family(prompt: tuple[int, ...], branches: Sequence[tuple[Branch, float]]) -> Family:
    given = np.zeros(len(prompt), np.float32)
    lengths = [len(ids) for (ids, _, _), _ in branches]
    return Family(
        ids=np.concatenate([np.array(prompt, np.int64), *(ids for (ids, _, _), _ in branches)]),
        logprob=np.concatenate([given, *(logprob for (_, logprob, _), _ in branches)]),
        sampled=np.concatenate([given, *(sampled for (_, _, sampled), _ in branches)]),
        prompt=len(prompt),
        ends=len(prompt) - 1 + np.cumsum(lengths, dtype=np.int64),
        passed=np.array([outcome for _, outcome in branches], np.float32),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Families packed into rows. [B, T] tensors; segments count families from 1 in each row, 0 is padding.
    `certainty_BT3` is `Family.certainty`.

    `asked_F` and `ended_A` are the flat places (row * T + token) of each family's last prompt token and each
    attempt's last token, in the order the families were given.
    """

    ids_BT: Tensor
    position_BT: Tensor
    segment_BT: Tensor
    branch_BT: Tensor
    logprob_BT: Tensor
    sampled_BT: Tensor
    certainty_BT3: Tensor
    asked_F: Tensor
    ended_A: Tensor

    def mask(self, dtype: torch.dtype = torch.float32) -> Tensor:
        """Additive attention mask [B, 1, T, T]: causal, within the family, its prompt and the own branch."""
        return family_mask(self.segment_BT, self.branch_BT, dtype)


def rows_of(families: Sequence[Family], width: int = WIDTH) -> Rows:
    """Pack families, longest first into the first row with room (first-fit decreasing, Johnson 1973)."""
    width = max(width, *(len(f) for f in families))
    room: list[int] = []
    place: list[tuple[int, int]] = [(0, 0)] * len(families)
    for i in sorted(range(len(families)), key=lambda i: -len(families[i])):
        need = len(families[i])
        b = next((b for b, left in enumerate(room) if left >= need), len(room))
        if b == len(room):
            room.append(width)
        place[i] = (b, width - room[b])
        room[b] -= need
    used = width - min(room)
    shape = (len(room), used)
    whole = {name: np.zeros(shape, np.int64) for name in ("ids", "position", "segment", "branch")}
    real = {name: np.zeros(shape, np.float32) for name in ("logprob", "sampled")}
    certainty = np.zeros((*shape, 3), np.float32)
    count = [0] * len(room)
    for family, (b, at) in zip(families, place, strict=True):
        span = slice(at, at + len(family))
        count[b] += 1
        lengths = [family.prompt, *family.lengths]
        # Every branch goes on from the prompt's end, wherever it is stored.
        before = [0, *(family.ends - family.lengths + 1 - family.prompt)]
        whole["ids"][b, span] = family.ids
        whole["position"][b, span] = np.arange(len(family)) - np.repeat(before, lengths)
        whole["segment"][b, span] = count[b]
        whole["branch"][b, span] = np.repeat(np.arange(len(lengths)), lengths)
        real["logprob"][b, span] = family.logprob
        real["sampled"][b, span] = family.sampled
        certainty[b, span] = family.certainty()
    start = [b * used + at for b, at in place]
    asked = [s + f.prompt - 1 for f, s in zip(families, start, strict=True)]
    ended = np.concatenate([f.ends + s for f, s in zip(families, start, strict=True)])
    return Rows(
        **{f"{name}_BT": torch.from_numpy(array) for name, array in (whole | real).items()},
        certainty_BT3=torch.from_numpy(certainty),
        asked_F=torch.tensor(asked, dtype=torch.long),
        ended_A=torch.from_numpy(ended.astype(np.int64)),
    )
