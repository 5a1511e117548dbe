"""Sequences to rows.

Padding a batch to its longest sequence wastes most of the compute where lengths vary, so sequences are
packed side by side: rows of one width, filled longest first into the first row with room (first-fit
decreasing, Johnson 1973), attention kept within each sequence. Rows are short, because attention over a row
is paid for in full whether or not it crosses a segment.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from autotelic.types import Attempt, Batch, Experience

Floats = np.ndarray[Any, np.dtype[np.float32]]
ROW = 128
"""Shortest row: wide enough to pack well, narrow enough that attention stays a small share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One sequence to learn from. Arrays are [T], about predicting the token at that place, 0 on prompts.

    `nll` weight of imitation; `policy` weight of the policy gradient, with `advantage`, the sampler's
    `logprob` and the anchor's `anchor` log-probability.
    """

    ids: np.ndarray[Any, np.dtype[np.int64]]
    nll: Floats
    policy: Floats
    advantage: Floats
    logprob: Floats
    anchor: Floats

    def __len__(self) -> int:
        return len(self.ids)


def imitate(experience: Experience, weight: float = 1.0) -> Trace:
    """A trace that raises the likelihood of a verified completion."""
    prompt, completion = experience.prompt_ids, experience.completion_ids
    ids = np.array(prompt + completion, dtype=np.int64)
    nll = np.zeros(len(ids), np.float32)
    nll[len(prompt) :] = weight
    empty = np.zeros(len(ids), np.float32)
    return Trace(ids=ids, nll=nll, policy=empty, advantage=empty, logprob=empty, anchor=empty)


def reinforce(attempt: Attempt, advantage: float, anchor: Floats | None = None) -> Trace:
    """A trace that moves the policy along the advantage, over every turn of an attempt.

    A later turn's prompt begins with the earlier turns, so an attempt is one sequence. `anchor` holds the
    anchor's log-probabilities [T]; without it the sampler's stand in, and the KL term is 0.
    """
    last = attempt.turns[-1]
    ids = np.array(last.prompt_ids + last.completion_ids, dtype=np.int64)
    policy = np.zeros(len(ids), np.float32)
    logprob = np.zeros(len(ids), np.float32)
    for turn in attempt.turns:
        start = len(turn.prompt_ids)
        span = slice(start, start + len(turn.completion_ids))
        policy[span] = 1.0
        logprob[span] = turn.logprobs
    return Trace(
        ids=ids,
        nll=np.zeros(len(ids), np.float32),
        policy=policy,
        advantage=policy * np.float32(advantage),
        logprob=logprob,
        anchor=logprob if anchor is None else anchor,
    )


def arrange(traces: Sequence[Trace]) -> tuple[list[tuple[int, int]], tuple[int, int]]:
    """Where each trace goes, as (row, first token), and the shape of all rows.

    Rows are as wide as the longest trace, and at least `ROW`. Raises ValueError when there is nothing to pack.
    """
    if not traces:
        raise ValueError("no traces to pack: a batch needs at least one sequence")
    width = max(ROW, *(len(t) for t in traces))
    room: list[int] = []
    places = [(0, 0)] * len(traces)
    for i in sorted(range(len(traces)), key=lambda i: -len(traces[i])):
        length = len(traces[i])
        row = next((r for r, left in enumerate(room) if left >= length), len(room))
        if row == len(room):
            room.append(width)
        places[i] = (row, width - room[row])
        room[row] -= length
    return places, (len(room), width - min(room))


def pack(traces: Sequence[Trace]) -> Batch:
    """One batch of all traces, each where `arrange` puts it."""
    places, shape = arrange(traces)
    whole = {name: np.zeros(shape, np.int64) for name in ("ids", "position", "segment")}
    real = {name: np.zeros(shape, np.float32) for name in ("nll", "policy", "advantage", "logprob", "anchor")}
    filled = [0] * shape[0]
    for i in sorted(range(len(traces)), key=lambda i: places[i]):
        (row, start), trace = places[i], traces[i]
        span = slice(start, start + len(trace))
        filled[row] += 1
        whole["ids"][row, span] = trace.ids
        whole["position"][row, span] = np.arange(len(trace))
        whole["segment"][row, span] = filled[row]
        for name, into in real.items():
            into[row, span] = getattr(trace, name)
    tensors = {f"{name}_BT": torch.from_numpy(array) for name, array in (whole | real).items()}
    return Batch(**tensors)


def split(traces: Sequence[Trace], tokens: int, rng: np.random.Generator) -> list[list[Trace]]:
    """Shuffle and cut into batches of about `tokens` tokens each; a small remainder joins the last."""
    order = rng.permutation(len(traces))
    total = sum(len(t) for t in traces)
    count = max(1, round(total / tokens))
    batches: list[list[Trace]] = [[]]
    filled = 0
    for i in order:
        if filled >= total / count * len(batches) and len(batches) < count:
            batches.append([])
        batches[-1].append(traces[i])
        filled += len(traces[i])
    return [b for b in batches if b]
