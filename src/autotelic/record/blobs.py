"""Numbers as bytes: token ids and log-probabilities of turns, and the entries of an update.

As JSON they would be most of the journal, and most of the time that it takes to write it.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from autotelic.record.plain import observation_of, to_json
from autotelic.record.plain import shown as as_json
from autotelic.types import Entry, Kind, Step, Turn

Decode = Callable[[Sequence[int]], str]
KINDS: tuple[Kind, ...] = ("demonstration", "practice", "own", "attempt", "proposal", "form")
"""Kinds of sequences in the order of their numbers in `entries.kinds`; new ones go to the end."""
OF_TASKS: tuple[Kind, ...] = ("demonstration", "practice", "form")
"""Kinds of sequences whose `ref` is the id of a task."""
SHOWN = 255
"""The number of a task that the entry before it shows."""
TOKEN = 254
"""The number of a token of the entry before it, whose weight is its advantage."""


# ── turns ────────────────────────────────────────────────────────────────────────────────────────────────


def pack_steps(steps: Sequence[Step], decode: Decode | None, author: str = "") -> tuple[str, bytes]:
    """What is short as JSON, a list a turn, and all numbers in one blob: prompt, completion, log-probabilities.

    A turn's list has the types of its ids and log-probabilities, the tokens of its prompt that are the turns
    before it and are not kept again, the further tokens of its prompt, those of its completion, the weights
    (null where they are the `author`), and why it stopped. Where there is more, its completion in words, the
    reply and the reward follow.
    """
    heads: list[list[Any]] = []
    numbers: list[bytes] = []
    known: tuple[int, ...] = ()
    for step in steps:
        turn = step.turn
        logprobs = array("f", turn.logprobs)
        if tuple(logprobs) != turn.logprobs:  # sampled in double precision, or nan: keep every bit
            logprobs = array("d", turn.logprobs)
        shared = len(known) if turn.prompt_ids[: len(known)] == known else 0
        own = turn.prompt_ids[shared:]
        ids = array(_typecode(own + turn.completion_ids), own)
        ids.extend(array(ids.typecode, turn.completion_ids))
        weights = None if turn.weights == author else turn.weights
        head: list[Any] = [ids.typecode + logprobs.typecode, shared, len(own), len(turn.completion_ids)]
        more = [None if decode is None else decode(turn.completion_ids), as_json(step.reply), step.reward]
        while more and more[-1] == _USUAL[len(more) - 1]:
            more.pop()
        heads.append([*head, weights, turn.stop, *more])
        numbers += [_little(ids), _little(logprobs)]
        known = turn.prompt_ids + turn.completion_ids
    return to_json(heads), b"".join(numbers)


def _typecode(ids: Sequence[int]) -> str:
    """The smallest type that holds all of them; tokens of pictures are large and below zero."""
    if min(ids, default=0) < 0:
        return "q"
    return "H" if max(ids, default=0) < 65_536 else "I"


_USUAL: tuple[Any, ...] = (None, "", 0.0)
"""Text, reply and reward of a turn that has none."""


def unpack_steps(heads: Sequence[Sequence[Any]], numbers: bytes, author: str = "") -> tuple[Step, ...]:
    """The inverse of `pack_steps`. Raises ValueError where there are fewer numbers than turns need."""
    place = 0

    def take(typecode: str, count: int) -> tuple[Any, ...]:
        nonlocal place
        values = array(typecode)
        end = place + count * values.itemsize
        if end > len(numbers):
            raise ValueError(f"an episode has {len(numbers)} bytes of numbers, expected {end}")
        values.frombytes(numbers[place:end])
        place = end
        if sys.byteorder == "big":
            values.byteswap()
        return tuple(values)

    found: list[Step] = []
    known: tuple[int, ...] = ()
    for (of_ids, of_logprobs), shared, own, sampled, weights, stop, *more in heads:
        _, reply, reward = (*more, *_USUAL[len(more) :])
        prompt = known[:shared] + take(of_ids, own)
        completion = take(of_ids, sampled)
        turn = Turn(
            prompt_ids=prompt,
            completion_ids=completion,
            logprobs=take(of_logprobs, sampled),
            weights=author if weights is None else weights,
            stop=stop,
        )
        found.append(Step(turn=turn, reply=observation_of(reply), reward=float(reward)))
        known = prompt + completion
    return tuple(found)


def texts_of(heads: Sequence[Sequence[Any]]) -> tuple[str, ...]:
    """The completions in words, a turn each; nothing where they were not kept."""
    return tuple(str(head[6]) for head in heads if len(head) > 6 and head[6] is not None)


def _little(values: array[Any]) -> bytes:
    if sys.byteorder == "big":
        values = array(values.typecode, values)
        values.byteswap()
    return values.tobytes()


# ── entries ──────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Packed:
    """The entries of an update as columns: kinds, rows of what they stand for (32 bits), and weights (32
    bits). Tasks that a practised proposer is shown follow their entry, as entries of kind `SHOWN`, and tokens
    with an advantage of their own as entries of kind `TOKEN`.
    """

    n: int
    kinds: bytes
    refs: bytes
    weights: bytes


def pack_entries(entries: Sequence[Entry], row_of: Callable[[str], int]) -> Packed:
    """Entries as columns; `row_of` finds the row of a task by its id."""
    kinds: list[int] = []
    refs: list[int] = []
    weights: list[float] = []
    for entry in entries:
        tokens = len(entry.tokens)
        kinds += [KINDS.index(entry.kind), *[SHOWN] * len(entry.shown), *[TOKEN] * tokens]
        refs.append(row_of(entry.ref) if entry.kind in OF_TASKS else int(entry.ref))
        refs += [*map(row_of, entry.shown), *[0] * tokens]
        weights += [entry.weight, *[0.0] * len(entry.shown), *entry.tokens]
    return Packed(
        n=len(entries),
        kinds=bytes(kinds),
        refs=np.array(refs, "<u4").tobytes(),
        weights=np.array(weights, "<f4").tobytes(),
    )


def unpack_entries(packed: Packed, ids_at: Callable[[Sequence[int]], Mapping[int, str]]) -> tuple[Entry, ...]:
    """The inverse of `pack_entries`; `ids_at` finds the ids of tasks by their rows."""
    refs: list[int] = np.frombuffer(packed.refs, "<u4").tolist()
    weights: list[float] = np.frombuffer(packed.weights, "<f4").tolist()
    of_tasks = {SHOWN, *(KINDS.index(kind) for kind in OF_TASKS)}
    ids = ids_at([ref for number, ref in zip(packed.kinds, refs, strict=True) if number in of_tasks])
    found: list[Entry] = []
    shown: list[list[str]] = []
    tokens: list[list[float]] = []
    for number, ref, weight in zip(packed.kinds, refs, weights, strict=True):
        if number == SHOWN:
            shown[-1].append(ids[ref])
        elif number == TOKEN:
            tokens[-1].append(weight)
        else:
            name = KINDS[number]
            found.append(Entry(kind=name, ref=ids[ref] if number in of_tasks else str(ref), weight=weight))
            shown.append([])
            tokens.append([])
    return tuple(
        replace(entry, shown=tuple(theirs), tokens=tuple(own)) if theirs or own else entry
        for entry, theirs, own in zip(found, shown, tokens, strict=True)
    )


def holds(kinds: bytes, refs: bytes, kind: Kind, row: int) -> bool:
    """Whether packed entries have one of this kind that stands for this row."""
    of_kind_N = np.frombuffer(kinds, np.uint8) == KINDS.index(kind)
    return bool((of_kind_N & (np.frombuffer(refs, "<u4") == row)).any())
