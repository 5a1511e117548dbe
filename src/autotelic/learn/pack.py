"""Sequences to rows.

Padding a batch to its longest sequence wastes most of the compute where lengths vary, so sequences are
packed side by side: rows of one width, filled longest first into the first row with room (first-fit
decreasing, Johnson 1973), attention kept within each sequence. Rows are short, because attention over a row
is paid for in full whether or not it crosses a segment. Sequences that begin alike share that beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import torch

from autotelic.models.families import Family, cut, families
from autotelic.packing import first_fit
from autotelic.types import Batch, Episode

Floats = np.ndarray[Any, np.dtype[np.float32]]
ROW = 128
"""Shortest row: wide enough to pack well, narrow enough that attention stays a small share."""
BRANCHES = 4
"""Rows are so many times as wide as the tokens that a family shares, lest those fill most of each row."""
TOLD = 0.5
"""Weight of a token that a prompt tells, against one of the completion."""
FEW = 6
"""Rows up to which the last one's empty part is worth a search."""
FAR = 2048
"""Width at which attention costs as much as all else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """One sequence to learn from. Arrays are [T], about predicting the token at that place; 0 on prompts,
    but for `nll` of what a prompt tells.

    `nll` weight of imitation; `policy` weight of the policy gradient, with `advantage`, the sampler's
    `logprob` and the reference policy's log-probability `reference`.
    """

    ids: np.ndarray[Any, np.dtype[np.int64]]
    nll: Floats
    policy: Floats
    advantage: Floats
    logprob: Floats
    reference: Floats

    def __len__(self) -> int:
        return len(self.ids)


def imitate(
    prompt_ids: Sequence[int], completion_ids: Sequence[int], weight: float = 1.0, told: Sequence[int] = ()
) -> Trace:
    """A trace that raises the likelihood of a completion, and of the tokens of the prompt at the places
    `told`.
    """
    ids = np.array([*prompt_ids, *completion_ids], dtype=np.int64)
    nll = np.zeros(len(ids), np.float32)
    nll[list(told)] = weight * TOLD
    nll[len(prompt_ids) :] = weight
    empty = np.zeros(len(ids), np.float32)
    return Trace(ids=ids, nll=nll, policy=empty, advantage=empty, logprob=empty, reference=empty)


def reinforce(
    episode: Episode, advantage: float, reference: Floats | None = None, tokens: Sequence[float] = ()
) -> Trace:
    """A trace that moves the policy along the advantage, over every turn of an episode; along those of its
    `tokens`, one a sampled token, where there are any.

    A later turn's prompt begins with the earlier turns, so an episode is one sequence; what the environment
    said is not learned. `reference` holds the reference policy's log-probabilities [T]; without it the
    sampler's stand in, and the KL term is 0.
    """
    last = episode.turns[-1]
    ids = np.array(last.prompt_ids + last.completion_ids, dtype=np.int64)
    policy = np.zeros(len(ids), np.float32)
    logprob = np.zeros(len(ids), np.float32)
    for turn in episode.turns:
        start = len(turn.prompt_ids)
        span = slice(start, start + len(turn.completion_ids))
        policy[span] = 1.0
        logprob[span] = turn.logprobs
    moved = policy * np.float32(advantage)
    if tokens:
        moved[policy > 0] = tokens
    return Trace(
        ids=ids,
        nll=np.zeros(len(ids), np.float32),
        policy=policy,
        advantage=moved,
        logprob=logprob,
        reference=logprob if reference is None else reference,
    )


class Place(NamedTuple):
    """Where a trace stands: its first `shared` tokens where its family has them, the others from `start`
    on.
    """

    row: int
    start: int
    shared: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """A family in its row, from token `start` on."""

    family: Family
    row: int
    start: int


def blocks(traces: Sequence[Trace], threads: int = 1) -> tuple[list[Block], tuple[int, int]]:
    """Where each family of traces goes, in order of place, and the shape of all rows.

    Rows are as wide as the longest trace, and at least `ROW`, or `BRANCHES` times what a family shares; where
    they are few, wider if that leaves less of them empty, or less to the busiest of the `threads` that share
    them. Raises ValueError when there is nothing to pack.
    """
    if not traces:
        raise ValueError("no traces to pack: a batch needs at least one sequence")
    lengths = [len(t) for t in traces]
    found = families([t.ids for t in traces], [_free(t) for t in traces])
    least = max(ROW, *lengths, *(BRANCHES * f.shared for f in found))
    best = _fill(found, lengths, least)
    rows = best[1][0]
    if rows > FEW * threads:
        return best
    wider = [_fill(found, lengths, least * eighths // 8) for eighths in range(9, 8 * (1 + rows))]
    return min([best, *wider], key=lambda filled: _work(filled[1], threads))


def _work(shape: tuple[int, int], threads: int) -> float:
    """What a thread's rows cost, in tokens: each attends to its whole row, which in small models costs
    most.
    """
    rows, width = shape
    return -(-rows // threads) * width * (1 + width / FAR)


def _fill(found: Sequence[Family], lengths: Sequence[int], width: int) -> tuple[list[Block], tuple[int, int]]:
    """`blocks`, in rows of up to `width` tokens."""
    parts = [part for f in found for part in cut(f, lengths, width)]
    parts.sort(key=lambda part: (-part.width(lengths), part.members))
    packed = first_fit([part.width(lengths) for part in parts], width)
    placed = [
        Block(family=part, row=row, start=start)
        for part, (row, start) in zip(parts, packed.places, strict=True)
    ]
    placed.sort(key=lambda block: (block.row, block.start))
    return placed, (packed.rows, packed.width)


def _free(trace: Trace) -> int:
    """How many first tokens others may share: a predicted token and the one before it are a trace's own."""
    weighed = np.flatnonzero((trace.nll > 0) | (trace.policy > 0))
    return max(0, (int(weighed[0]) if len(weighed) else len(trace)) - 1)


def arrange(traces: Sequence[Trace], threads: int = 1) -> tuple[list[Place], tuple[int, int]]:
    """Where `pack` puts each trace, and the shape of all rows."""
    placed, shape = blocks(traces, threads)
    places = [Place(0, 0, 0)] * len(traces)
    for block in placed:
        at = block.start + block.family.shared
        for i in block.family.members:
            places[i] = Place(block.row, at, block.family.shared)
            at += len(traces[i]) - block.family.shared
    return places, shape


def pack(traces: Sequence[Trace], threads: int = 1) -> Batch:
    """One batch of all traces, each where `arrange` puts it, for rows that `threads` share."""
    placed, shape = blocks(traces, threads)
    whole = {name: np.zeros(shape, np.int64) for name in ("ids", "position", "segment", "branch")}
    real = {
        name: np.zeros(shape, np.float32) for name in ("nll", "policy", "advantage", "logprob", "reference")
    }
    segments = [0] * shape[0]
    for block in placed:
        row, at, shared = block.row, block.start, block.family.shared
        segments[row] += 1
        trunk = slice(at, at + shared)
        whole["ids"][row, trunk] = traces[block.family.members[0]].ids[:shared]
        whole["position"][row, trunk] = np.arange(shared)
        at += shared
        for branch, i in enumerate(block.family.members, start=1):
            trace = traces[i]
            span = slice(at, at + len(trace) - shared)
            whole["ids"][row, span] = trace.ids[shared:]
            whole["position"][row, span] = np.arange(shared, len(trace))
            whole["branch"][row, span] = branch
            for name, into in real.items():
                into[row, span] = getattr(trace, name)[shared:]
            at = span.stop
        whole["segment"][row, block.start : at] = segments[row]
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
