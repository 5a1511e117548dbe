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
from autotelic.packing import first_fit
from autotelic.types import Episode, Group

Ints = np.ndarray[Any, np.dtype[np.int64]]
Floats = np.ndarray[Any, np.dtype[np.float32]]

WIDTH = 192
"""Tokens in a row, unless one episode is longer: room for a family, while attention stays a small share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Siblings:
    """A prompt of `prompt` tokens, then one branch an attempt. Arrays are [T] tokens or [A] attempts.

    `logprob` is the sampler's log-probability where the token was `sampled`, and 0 where it was given. `ends`
    is the place of each branch's last token; `outcome` is the scaled reward, or nan where it is not known.
    """

    ids: Ints
    logprob: Floats
    sampled: Floats
    prompt: int
    ends: Ints
    outcome: Floats

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def lengths(self) -> Ints:
        """Tokens of each branch. [A]."""
        return np.diff(self.ends, prepend=self.prompt - 1)

    def before(self) -> list[Ints]:
        """For each branch the places from which its sampled tokens are predicted: the token before each."""
        found = []
        for end, length in zip(self.ends.tolist(), self.lengths.tolist(), strict=True):
            place = np.arange(end + 1 - length, end + 1)
            previous = place - 1
            previous[0] = self.prompt - 1  # a branch goes on from the prompt's end, wherever it is stored
            found.append(previous[self.sampled[place] > 0])
        return found

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
    groups: Iterable[Group], known: Iterable[Sequence[float]], context: int, width: int = WIDTH
) -> list[Siblings]:
    """The attempts of these groups, in order, in families of at most `width` tokens where one episode fits.

    Of an episode that is longer than the `context` the end is kept. Raises ValueError for one in which
    nothing was written, or with log-probabilities that are not finite.
    """
    families: list[Siblings] = []
    for group, outcomes in zip(groups, known, strict=True):
        pairs = zip(group.episodes, outcomes, strict=True)
        for prompt, members in groupby(pairs, key=lambda pair: _prompt(pair[0], context)):
            branches = [(_branch(attempt, prompt, context), outcome) for attempt, outcome in members]
            for few in _fitting(branches, len(prompt), width):
                families.append(_family(prompt, few))
    return families


def prompts_of(groups: Iterable[Group], context: int) -> list[Siblings]:
    """What each group was asked, without any attempt: a family of no branches for each group."""
    return [_family(group.episodes[0].turns[0].prompt_ids[-context:], []) for group in groups]


Branch = tuple[Ints, Floats, Floats]
"""Ids, log-probabilities, and which were sampled; each [L]."""


def _prompt(episode: Episode, context: int) -> tuple[int, ...]:
    """The first prompt. Of a longer episode only the end of the prompt, half of the `context` at most."""
    if not is_written(episode):
        raise ValueError(
            f"in an episode at task {episode.task_id} nothing was written; the critic cannot read it"
        )
    prompt = episode.turns[0].prompt_ids
    last = episode.turns[-1]
    whole = len(last.prompt_ids) + len(last.completion_ids)
    return prompt if whole <= context else prompt[-max(1, context // 2) :]


def is_written(episode: Episode) -> bool:
    """Whether an episode has anything after its first prompt."""
    turns = episode.turns
    return bool(turns) and len(turns[-1].prompt_ids + turns[-1].completion_ids) > len(turns[0].prompt_ids)


def is_cut(episode: Episode, context: int) -> bool:
    """Whether an episode is longer than what is read."""
    last = episode.turns[-1]
    return len(last.prompt_ids) + len(last.completion_ids) > context


def _branch(episode: Episode, prompt: tuple[int, ...], context: int) -> Branch:
    """All that followed the first prompt, or the end of it: a later turn's prompt begins with the earlier
    turns.
    """
    last, given = episode.turns[-1], len(episode.turns[0].prompt_ids)
    ids = np.array(last.prompt_ids[given:] + last.completion_ids, dtype=np.int64)
    logprob, sampled = np.zeros(len(ids), np.float32), np.zeros(len(ids), np.float32)
    for turn in episode.turns:
        start = len(turn.prompt_ids) - given
        span = slice(start, start + len(turn.completion_ids))
        logprob[span] = turn.logprobs
        sampled[span] = 1.0
    if not np.isfinite(logprob).all():
        raise ValueError(
            f"an episode at task {episode.task_id} has log-probabilities that are not finite; "
            "the sampler's weights have diverged"
        )
    most = max(1, context - len(prompt))
    return ids[-most:], logprob[-most:], sampled[-most:]


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


def _family(prompt: tuple[int, ...], branches: Sequence[tuple[Branch, float]]) -> Siblings:
    given = np.zeros(len(prompt), np.float32)
    lengths = [len(ids) for (ids, _, _), _ in branches]
    return Siblings(
        ids=np.concatenate([np.array(prompt, np.int64), *(ids for (ids, _, _), _ in branches)]),
        logprob=np.concatenate([given, *(logprob for (_, logprob, _), _ in branches)]),
        sampled=np.concatenate([given, *(sampled for (_, _, sampled), _ in branches)]),
        prompt=len(prompt),
        ends=len(prompt) - 1 + np.cumsum(lengths, dtype=np.int64),
        outcome=np.array([outcome for _, outcome in branches], np.float32),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Families packed into rows. [B, T] tensors; segments count families from 1 in each row, 0 is padding.
    `certainty_BT3` is `Siblings.certainty`.

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


def rows_of(families: Sequence[Siblings], width: int = WIDTH) -> Rows:
    """Pack families into rows (`packing.py`)."""
    packed = first_fit([len(f) for f in families], max(width, *(len(f) for f in families)))
    place, used = packed.places, packed.width
    shape = (packed.rows, used)
    whole = {name: np.zeros(shape, np.int64) for name in ("ids", "position", "segment", "branch")}
    real = {name: np.zeros(shape, np.float32) for name in ("logprob", "sampled")}
    certainty = np.zeros((*shape, 3), np.float32)
    count = [0] * packed.rows
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
